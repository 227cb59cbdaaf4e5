"""Which of the kept sentences a command means, how their neighbours are found, and what is shown of them.

/matrix                 the last ones
/matrix #1 #4-#9        those of these numbers; numbers within a range that were forgotten are passed over
/forget all             every one
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import UsageError
from ..layers.normalize import normalize
from ..similarity import nearest
from .session import Session

if TYPE_CHECKING:
    from ..views import View

_RANGE = re.compile(r"#(\d{1,9})(?:-#?(\d{1,9}))?")


class Neighbours(NamedTuple):
    """The closest sentences to a vector, the closest first."""

    rows: list[int]  # in `session.sentences`
    cosines: list[float]


def rows_named(session: Session, words: Sequence[str], command: str) -> list[int]:
    """The rows that `#3`, `#4-#9` and `all` name, each once, in the order of their mention.

    Raises UsageError for a word of another form, for a number that no sentence has, and for a range without
    any.
    """
    rows: dict[int, None] = {}
    for word in filter(None, ",".join(words).split(",")):
        match = _RANGE.fullmatch(word)
        if word.lower() == "all":
            rows |= dict.fromkeys(range(len(session.sentences)))
        elif not match:
            raise UsageError(f"/{command} takes numbers like #3 or #4-#9, or all, not {word[:40]!r}")
        elif match[2] is None:
            rows[session.row_of(int(match[1]))] = None
        else:
            first, last = int(match[1]), int(match[2])
            between = [row for row, s in enumerate(session.sentences) if first <= s.number <= last]
            if not between:
                raise UsageError(f"no sentence is numbered {word}: /list shows those that there are")
            rows |= dict.fromkeys(between)
    return list(rows)


def last_rows(session: Session, most: int) -> list[int]:
    """The rows of the last `most` sentences."""
    count = len(session.sentences)
    return list(range(max(0, count - most), count))


def neighbours(
    session: Session, query: np.ndarray, vectors: np.ndarray, k: int, without: int | None = None
) -> Neighbours:
    """The `k` rows of `vectors` (M, D) with the highest cosine to `query` (D,), the row `without` left out.

    Both are vectors of this session: where its model normalises them, the dot product is the cosine, and a
    search among very many is ten times as fast.
    """
    if not len(vectors):
        return Neighbours([], [])
    metric = "dot" if session.encoder.settings.normalize else "cosine"
    scores, rows = nearest(query, vectors, k + (without is not None), metric)  # (1, ≤ k + 1) each
    scores = np.clip(scores, -1.0, 1.0)  # rounding
    found = [
        (row, score)
        for row, score in zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        if row != without
    ]
    return Neighbours([row for row, _ in found[:k]], [score for _, score in found[:k]])


def beginning(text: str, most: int = 300) -> str:
    """A text as it is shown: whole, or its first `most` characters and how many it has.

    A picture measures a whole text before it cuts it, which takes seconds for a very long one.
    """
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """(M, D) -> (M, D) of length 1, so that every measure has its known range; zero rows stay zero."""
    return normalize(vectors)[0]


def about_lengths(session: Session) -> "list[View]":
    """What to say below measures of `unit_rows` if the model itself gives vectors of other lengths."""
    from ..views import Paragraph

    if session.encoder.settings.normalize:
        return []
    words = (
        "This model gives vectors of other lengths than 1: here all are brought to it, so dot is the cosine."
    )
    return [Paragraph(words, "dim")]
