"""`/matrix`: every kept sentence with every other, as a heat map."""

import math

import numpy as np

from ...errors import UsageError
from ...similarity import METRICS, matrix, reading
from ...views import HeatMap, Paragraph, Stack, Table
from ..line import Arguments, Option
from ..reply import Reply
from ..selection import about_lengths, beginning, last_rows, rows_named, unit_rows
from ..session import Session

NAME = "matrix"
USAGE = "/matrix [#1 #4-#9] [--metric NAME]"
SUMMARY = "every kept sentence with every other, as a heat map"
DETAILS = """\
A cell is how alike the sentences of its row and of its column are; groups of alike sentences show as blocks.
Below are the closest and the farthest pair. Without numbers the last sentences are taken, as many as fit."""


def _metric(name: str) -> str:
    if name not in METRICS:
        raise UsageError(f"unknown metric {name!r}: use one of {', '.join(METRICS)}")
    return name


EXAMPLES = (
    "The cat is sleeping",
    "A feline is resting",
    "The stock market fell sharply",
    "/matrix",
    "/matrix #1 #3 --metric euclidean",
)
FORM = "words"
OPTIONS = (
    Option("--metric", f"one of {', '.join(METRICS)} (default cosine)", "NAME", _metric, completes="metric"),
)
COMPLETES = "sentence"

MOST = 200
MOST_UNASKED = 30
CELL = 4  # columns of the screen that a number like -.12 needs


def run(session: Session, arguments: Arguments) -> Reply:
    """Compare the chosen sentences, each with each."""
    if arguments.words:
        rows = rows_named(session, arguments.words, NAME)
    else:
        fitting = session.console.width * 2 // 3 // CELL  # a third of the width is for the labels
        rows = last_rows(session, min(max(fitting, 3), MOST_UNASKED))
    if len(rows) < 2:
        raise UsageError(f"a matrix needs at least 2 kept sentences, not {len(rows)}: type or name more")
    if len(rows) > MOST:
        raise UsageError(
            f"a matrix of {len(rows):,} sentences is too large: choose up to {MOST}, like #1-#{MOST}"
        )
    name = arguments.options["metric"] or "cosine"
    metric = METRICS[name]
    sentences = [session.sentences[row] for row in rows]
    vectors = unit_rows(session.vectors[rows])  # (M, D)
    scores = matrix(vectors, vectors, name)  # (M, M)
    first, second = np.triu_indices(len(rows), k=1)  # (pairs,) each
    order = np.argsort(scores[first, second], kind="stable")
    ends = (order[-1], order[0]) if metric.higher_is_closer else (order[0], order[-1])
    pairs = {}
    for what, place in zip(("closest", "farthest"), ends, strict=True):
        a, b = int(first[place]), int(second[place])
        pairs[what] = {
            "numbers": [sentences[a].number, sentences[b].number],
            "score": float(scores[a, b]),
            "reading": reading(name, float(scores[a, b]), vectors.shape[1]),
        }
    data = {
        "metric": name,
        "numbers": [s.number for s in sentences],
        "texts": [s.text for s in sentences],
        "scores": scores.tolist(),
        **pairs,
    }
    better = "higher is closer" if metric.higher_is_closer else "lower is closer"
    low, high = metric.unit_range(vectors.shape[1])
    heat = HeatMap(
        scores,
        rows=[f"#{s.number} {beginning(s.text)}" for s in sentences],
        columns=[f"#{s.number}" for s in sentences],
        low=min(0.0, math.floor(10.0 * float(scores.min())) / 10.0),
        high=high if metric.higher_is_closer else float(scores.max()),
        caption=f"{name}, from {low:g} to {high:.3g}; {metric.landmarks} ({better})",
    )
    if len(rows) == 2:
        pairs = {"the pair": pairs["closest"]}  # which is neither close nor far
    lines = [line for what, pair in pairs.items() for line in _pair(session, what, pair)]
    table = Table(("", name, "in words", "sentences"), lines, align=("left", "right", "left", "left"))
    views = [heat, table, *about_lengths(session)]
    total = len(session.sentences)
    if not arguments.words and total > len(rows):
        views.append(Paragraph(f"the last {len(rows)} of {total:,}; /matrix #1 #5 #9-#12 chooses", "dim"))
    return Reply((Stack(*views),), data)


def _pair(session: Session, what: str, pair: dict) -> list[tuple]:
    """Two rows of a table: the pair's score with its first sentence, and the second one below."""
    a, b = (f"#{n} {beginning(session.sentences[session.row_of(n)].text)}" for n in pair["numbers"])
    return [(what, f"{pair['score']:.3f}", pair["reading"], a), (None, None, None, b)]
