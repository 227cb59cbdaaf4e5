"""How a change of the model moves the kept sentences: their cosines before and after it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..similarity import matrix

if TYPE_CHECKING:
    from ..views import View
    from .session import Sentence

MOST_DRAWN = 16  # sentences in the two matrices
MOST_WITH_NUMBERS = 6  # where there are so few the matrices stand one below the other, with their numbers
MOST_COMPARED = 300  # sentences of which each is compared with each
MOST_MOVED = 8  # pairs in the table
LEAST_SHOWN = 0.0005  # a smaller change is rounding


class Moves(NamedTuple):
    """M sentences, the last ones kept, and all their cosines before and after."""

    sentences: list["Sentence"]
    before: np.ndarray  # (M, M)
    after: np.ndarray  # (M, M)
    total: int  # sentences kept


def moves_between(sentences: Sequence["Sentence"], before: np.ndarray, after: np.ndarray) -> Moves:
    """Vectors (M, D) and (M, D') of the same sentences -> how their cosines differ"""
    last = slice(-MOST_COMPARED, None)
    some = [np.asarray(vectors[last], dtype=np.float64) for vectors in (before, after)]  # (m, D), (m, D')
    return Moves(list(sentences[last]), *(matrix(vectors, vectors) for vectors in some), len(sentences))


def moved_pairs(moves: Moves, most: int = MOST_MOVED) -> list[dict[str, Any]]:
    """The pairs whose cosine changed, the largest change first."""
    first, second = np.triu_indices(len(moves.sentences), k=1)  # (pairs,) each
    before, after = moves.before[first, second], moves.after[first, second]  # (pairs,)
    change = after - before
    order = np.argsort(-np.abs(change), kind="stable")[:most]
    return [
        {
            "numbers": [moves.sentences[first[i]].number, moves.sentences[second[i]].number],
            "texts": [moves.sentences[first[i]].text, moves.sentences[second[i]].text],
            "before": float(before[i]),
            "after": float(after[i]),
            "change": float(change[i]),
        }
        for i in order
        if change[i]
    ]


def data_of(moves: Moves) -> dict[str, Any]:
    """The same for programs: both matrices of the sentences that are drawn, and the pairs."""
    drawn = slice(-MOST_DRAWN, None)
    return {
        "numbers": [sentence.number for sentence in moves.sentences[drawn]],
        "before": moves.before[drawn, drawn].tolist(),
        "after": moves.after[drawn, drawn].tolist(),
        "moved": moved_pairs(moves),
    }


def views_of(moves: Moves) -> "list[View]":
    """Both matrices, and the pairs that moved most."""
    from ..views import Paragraph

    if len(moves.sentences) < 2:
        return [Paragraph("Keep two sentences or more to see how such a change moves them.", "dim")]
    return [*_matrices(moves), table_of(moves)]


def table_of(moves: Moves) -> "View":
    """The pairs that moved most."""
    from ..views import Paragraph, Table

    pairs = [pair for pair in moved_pairs(moves) if abs(pair["change"]) >= LEAST_SHOWN]
    if not pairs:
        largest = float(np.abs(moves.after - moves.before).max(initial=0.0))
        return Paragraph(f"No cosine of the kept sentences has changed by more than {largest:.1g}.")
    rows = [(pair["before"], pair["after"], f"{pair['change']:+.3f}", *_names(pair)) for pair in pairs]
    compared = len(moves.sentences)
    of = f", of the last {compared:,} of {moves.total:,} sentences" if compared < moves.total else ""
    return Table(
        ("before", "after", "change", "one", "other"),
        rows,
        align=("right", "right", "right", "left", "left"),
        caption=f"the pairs whose cosine moved most{of}",
    )


def _matrices(moves: Moves) -> "list[View]":
    """The cosines before and after: with their numbers where these are few, else small and side by side"""
    from ..views import HeatGrid, HeatMap

    drawn = slice(-MOST_DRAWN, None)
    sentences = moves.sentences[drawn]
    numbers = [f"#{sentence.number}" for sentence in sentences]
    maps = np.stack([moves.before[drawn, drawn], moves.after[drawn, drawn]])  # (2, m, m)
    scale = {"low": min(0.0, float(maps.min())), "high": 1.0}
    if len(sentences) <= MOST_WITH_NUMBERS:
        rows = [f"#{sentence.number} {sentence.text}" for sentence in sentences]
        captions = ("cosines before", "cosines after")
        return [
            HeatMap(map, rows=rows, columns=numbers, caption=caption, **scale)
            for map, caption in zip(maps, captions, strict=True)
        ]
    which = f"the last {len(numbers)} of {moves.total:,}" if len(numbers) < moves.total else "the"
    caption = f"cosines of {which} sentences, each with each; the columns are in the order of the rows"
    return [HeatGrid(maps, titles=("before", "after"), labels=numbers, caption=caption, **scale)]


def _names(pair: dict[str, Any]) -> tuple[str, str]:
    first, second = (f"#{n} {text}" for n, text in zip(pair["numbers"], pair["texts"], strict=True))
    return first, second
