"""`/sim A | B`: how alike sentences are, by every measure."""

import numpy as np

from ...errors import UsageError
from ...similarity import METRICS, matrix, reading
from ...views import Bars, Paragraph, Stack, Table
from ..line import Arguments
from ..reply import Reply
from ..selection import about_lengths, beginning, unit_rows
from ..session import Session

NAME = "sim"
USAGE = "/sim A | B"
SUMMARY = "how alike two sentences are, by every measure"
DETAILS = """\
Every measure with the range that it can have for vectors of length 1, and what its value says: the words are
a rule of thumb for models that were trained on paraphrases. A single text is compared with the current
sentence, and of more than two the first with each of the others. #3 stands for sentence 3."""
EXAMPLES = (
    "/sim The cat is sleeping | A feline is resting",
    "/sim The cat is sleeping | A feline is resting | The stock market fell",
    "The dog is barking",
    "/sim #1 | A hound makes noise",
)
FORM = "texts"
OPTIONS = ()
COMPLETES = "sentence"

MOST = 50  # sentences that are compared at once
ROOM_FOR_LANDMARKS = 104  # columns of the screen
NO_DIRECTION = "a zero vector has no direction"


def run(session: Session, arguments: Arguments) -> Reply:
    """Compare the first text with each of the others."""
    texts = [session.text_of(text) for text in arguments.texts]
    if len(texts) == 1 and session.current is not None:
        texts.insert(0, session.current)
    if not 2 <= len(texts) <= MOST:
        raise UsageError(f"/sim compares 2 to {MOST} sentences with a bar between them: /sim A | B")
    for place, text in enumerate(texts, 1):
        if not text:
            raise UsageError(f"text {place} of {len(texts)} is empty: /sim A | B")
    vectors = unit_rows(session.embed(texts))  # (1 + others, D)
    dimensions = vectors.shape[1]
    defined = vectors.any(axis=1)  # (1 + others,)
    scores = {name: matrix(vectors[:1], vectors[1:], name)[0].tolist() for name in METRICS}
    readings = [
        {
            name: reading(name, values[i], dimensions) if defined[0] and defined[i + 1] else NO_DIRECTION
            for name, values in scores.items()
        }
        for i in range(len(texts) - 1)
    ]
    ranges = {name: metric.unit_range(dimensions) for name, metric in METRICS.items()}
    data = {
        "texts": texts,
        "ranges": {name: list(ends) for name, ends in ranges.items()},
        "pairs": [
            {
                "other": text,
                "scores": {name: values[i] for name, values in scores.items()},
                "readings": readings[i],
            }
            for i, text in enumerate(texts[1:])
        ],
    }
    if len(texts) == 2:
        view = _one_pair(data, ranges, session.console.width >= ROOM_FOR_LANDMARKS)
    else:
        view = _ranking(data, ranges)
    return Reply((view, *about_lengths(session)), data)


def _one_pair(data: dict, ranges: dict[str, tuple[float, float]], landmarks: bool) -> Stack:
    """Every measure in a row, with what some of its values mean if there is room for `landmarks`."""
    columns = ["measure", "value", "range", "what it says", "landmarks"]
    pair = data["pairs"][0]
    rows = [
        (name, f"{value:.4f}", _range(*ranges[name]), pair["readings"][name], METRICS[name].landmarks)
        for name, value in pair["scores"].items()
    ]
    if not landmarks:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    cosine = METRICS["cosine"]
    return Stack(
        Paragraph(
            "\n".join(
                f"{letter}: {beginning(text)}" for letter, text in zip("AB", data["texts"], strict=True)
            )
        ),
        Table(columns, rows, align=["left", "right", *["left"] * (len(columns) - 2)]),
        Paragraph(f"cosine: {cosine.explanation}; {cosine.landmarks}", "dim"),
    )


def _ranking(data: dict, ranges: dict[str, tuple[float, float]]) -> Stack:
    """The cosines as bars with their words, then every measure of every pair."""
    others = data["texts"][1:]
    letters = [_letter(i + 1) for i in range(len(others))]
    cosines = np.array([pair["scores"]["cosine"] for pair in data["pairs"]])
    bars = Bars(
        [f"{letter}: {beginning(text)}" for letter, text in zip(letters, others, strict=True)],
        cosines,
        low=min(0.0, float(cosines.min())),
        high=1.0,
        notes=[pair["readings"]["cosine"] for pair in data["pairs"]],
        caption="cosine of A with each of the others",
    )
    rows = [("range", *(_range(*ranges[name]) for name in METRICS))]
    for letter, pair in zip(letters, data["pairs"], strict=True):
        rows.append((f"A and {letter}", *(f"{pair['scores'][name]:.3f}" for name in METRICS)))
    table = Table(("", *METRICS), rows, align=("left", *["right"] * len(METRICS)))
    return Stack(Paragraph(f"A: {beginning(data['texts'][0])}"), bars, table)


def _letter(place: int) -> str:
    """A, B, … Z, AA, AB, …"""
    tens, ones = divmod(place, 26)
    return (chr(ord("A") + tens - 1) if tens else "") + chr(ord("A") + ones)


def _range(low: float, high: float) -> str:
    return f"{low:g} to {high:.3g}"
