"""`/search QUERY`: the nearest of all sentences that were typed or loaded."""

from ...errors import UsageError
from ...similarity import reading
from ...views import Bars, Paragraph
from ..line import Arguments, Option
from ..reply import Reply
from ..selection import beginning, neighbours
from ..session import Session

NAME = "search"
USAGE = "/search [--k N] QUERY"
SUMMARY = "the nearest of all sentences, typed or loaded"
DETAILS = """\
The cosine of the query with every sentence that is kept, the closest first. A model with prompts for queries
and documents puts them before both. With #3 or without a query, the neighbours of that sentence, or of the
current one; the sentence itself is left out."""


def _count(value: str) -> int:
    count = int(value)
    if not 1 <= count <= 1000:
        raise ValueError
    return count


EXAMPLES = (
    "The cat is sleeping",
    "The stock market fell sharply",
    "/search a pet at home",
    "/search --k 1 the price of shares",
)
FORM = "text"
OPTIONS = (Option("--k", "how many to show, 1 to 1000 (default 10)", "N", _count),)
COMPLETES = "sentence"

NEAREST = 10


def run(session: Session, arguments: Arguments) -> Reply:
    """Rank the kept sentences by their cosine with the query."""
    if not session.sentences:
        raise UsageError("there is nothing to search yet: type sentences, or /load a file")
    query = session.current_or(arguments.texts)
    if not query.strip():
        raise UsageError("an empty query is near to nothing: write a word at least")
    given = arguments.texts[0].strip() if arguments.texts else ""
    is_named = given != query.strip()  # by its number, or as the current one
    itself = session.find(query) if is_named else None
    k = arguments.options["k"] or NEAREST
    vector = session.encoder.encode_query(query)  # (D,)
    without = session.row_of(itself.number) if itself else None
    found = neighbours(session, vector, session.document_vectors(), k, without)
    sentences = [session.sentences[row] for row in found.rows]
    words = [reading("cosine", cosine, len(vector)) for cosine in found.cosines]
    data = {
        "query": query,
        "searched": len(session.sentences) - (itself is not None),
        "nearest": [
            {"number": s.number, "text": s.text, "source": s.source, "cosine": cosine, "reading": said}
            for s, cosine, said in zip(sentences, found.cosines, words, strict=True)
        ],
    }
    if not sentences:
        return Reply((Paragraph("there is no other sentence to search: type more, or /load a file"),), data)
    several = len({s.source for s in sentences}) > 1 or sentences[0].source != "typed"
    bars = Bars(
        [f"#{s.number} {beginning(s.text)}" for s in sentences],
        found.cosines,
        low=min(0.0, *found.cosines),
        high=1.0,
        notes=[f"{said} · {s.source}" if several else said for s, said in zip(sentences, words, strict=True)],
        label_share=0.6,
        caption=f"the {len(sentences)} nearest of {data['searched']:,} sentences, by cosine",
    )
    return Reply((bars,), data)
