"""`/quit`: end the conversation."""

from ..line import Arguments
from ..reply import Reply
from ..session import Session

NAME = "quit"
USAGE = "/quit"
SUMMARY = "leave"
DETAILS = "Ctrl-D on an empty line does the same."
EXAMPLES = ("/quit",)
FORM = "none"
OPTIONS = ()
COMPLETES = None


def run(session: Session, arguments: Arguments) -> Reply:
    """End the conversation."""
    return Reply(quits=True)
