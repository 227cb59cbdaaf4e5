"""`/list`: the sentences that are kept."""

from ...errors import UsageError
from ...views import Paragraph, Stack, Table
from ..line import Arguments
from ..reply import Reply
from ..selection import beginning, last_rows, rows_named
from ..session import Session

NAME = "list"
USAGE = "/list [COUNT | #3 #5-#9 | all]"
SUMMARY = "the sentences that are kept"
DETAILS = "The last 15, as many as COUNT says, or those named. An arrow marks the current sentence."
EXAMPLES = ("The cat is sleeping", "/list", "/list 3")
FORM = "words"
OPTIONS = ()
COMPLETES = "sentence"

MOST = 15  # that are shown unasked


def run(session: Session, arguments: Arguments) -> Reply:
    """Show kept sentences with number and source."""
    words = arguments.words
    if not words:
        rows = last_rows(session, MOST)
    elif len(words) == 1 and words[0].isascii() and words[0].isdigit():
        if int(words[0][:9]) < 1:
            raise UsageError("/list shows at least 1 sentence: /list 20")
        rows = last_rows(session, int(words[0][:9]))
    else:
        rows = rows_named(session, words, NAME)
    total = len(session.sentences)
    sentences = [session.sentences[row] for row in rows]
    data = {
        "kept": total,
        "current": session.current,
        "sentences": [{"number": s.number, "text": s.text, "source": s.source} for s in sentences],
    }
    if not total:
        return Reply((Paragraph("no sentence is kept yet: type one, or /load a file"),), data)
    table = Table(
        ("", "", "sentence", "from"),
        [
            ("→" if s.text == session.current else "", f"#{s.number}", beginning(s.text), s.source)
            for s in sentences
        ],
    )
    views = [table]
    if not words and total > MOST:
        hint = f"the last {MOST} of {total:,}; /list 100 shows more, /list #1-#9 chooses"
        views.append(Paragraph(hint, "dim"))
    return Reply((Stack(*views),), data)
