"""`/forget #3 #5-#9`: drop sentences that were kept."""

from ...errors import UsageError
from ...views import Paragraph
from ..line import Arguments
from ..reply import Reply
from ..selection import rows_named
from ..session import Session

NAME = "forget"
USAGE = "/forget #3 #5-#9, or /forget all"
SUMMARY = "drop sentences that were kept"
DETAILS = "The other sentences keep their numbers, and a number is never given to another sentence."
EXAMPLES = ("The cat is sleeping", "A feline is resting", "/forget #1", "/forget all")
FORM = "words"
OPTIONS = ()
COMPLETES = "sentence"


def run(session: Session, arguments: Arguments) -> Reply:
    """Drop the sentences named."""
    if not arguments.words:
        raise UsageError("which sentences? /forget #3 #5-#9, or /forget all")
    rows = rows_named(session, arguments.words, NAME)
    if not rows:
        raise UsageError("there is no sentence to forget: none is kept")
    numbers = sorted(session.sentences[row].number for row in rows)
    session.forget(numbers)
    left = len(session.sentences)
    what = f"sentence #{numbers[0]}" if len(numbers) == 1 else f"{len(numbers):,} sentences"
    kept = f"{left:,} {'is' if left == 1 else 'are'} kept" if left else "none is kept"
    return Reply((Paragraph(f"forgot {what}; {kept}"),), {"forgotten": numbers, "kept": left})
