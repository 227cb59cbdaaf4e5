"""`/history [N]`: the lines typed last."""

from ...errors import UsageError
from ...views import Paragraph, Table
from ..line import Arguments
from ..reply import Reply
from ..session import Session

NAME = "history"
USAGE = "/history [N]"
SUMMARY = "the lines typed last, in earlier conversations too"
DETAILS = """\
N lines, or 20, the newest at the bottom. At most 1000 are kept, in a file that only you can read;
`minigpt2 repl --no-history` neither reads nor writes it. The arrow keys bring them back, and Ctrl-R
searches."""
EXAMPLES = ("The cat is sleeping", "/history", "/history 5")
FORM = "words"
OPTIONS = ()
COMPLETES = None

SHOWN = 20


def run(session: Session, arguments: Arguments) -> Reply:
    """Show the last lines."""
    if len(arguments.words) > 1:
        raise UsageError(f"/history takes one number, not {len(arguments.words)} words: {USAGE}")
    count = _count(arguments.words[0]) if arguments.words else SHOWN
    entries = session.history.entries
    last = entries[-count:]
    data = {
        "lines": last,
        "of": len(entries),
        "file": str(session.history.path) if session.history.path else None,
    }
    if not last:
        return Reply((Paragraph("no line has been kept yet", "dim"),), data)
    rows = [(number, line) for number, line in enumerate(last, start=len(entries) - len(last) + 1)]
    where = f"in {data['file']}" if data["file"] else "of this conversation alone"
    caption = f"the last {len(last)} of {len(entries)}, {where}"
    return Reply((Table(("", "line"), rows, caption=caption),), data)


def _count(word: str) -> int:
    if not word.isdecimal() or int(word[:9]) < 1:
        raise UsageError(f"{word[:20]!r} is not a number of lines, at least 1: {USAGE}")
    return int(word[:9])
