"""What came of checking one answer, as data that passes from one process to another, and as a picture."""

from typing import Any, NamedTuple

import numpy as np
from rich.segment import Segment

from ..views import Beside, Canvas, Heading, HeatMap, Paragraph, Stack, View, markup
from ..views.frame import Block
from ..visible import visible
from .checking import WrongAnswer, close

PASSED, WRONG, NOT_DONE, BROKEN, STOPPED = "passed", "wrong", "not done", "broken", "stopped"

MOST_DRAWN = 7  # rows and columns of a picture; larger arrays show the part around the first wrong entry
MOST_PRINTED = 2000  # characters of what the learner's code printed


class Picture(NamedTuple):
    """The part of an expected array and of the learner's that is worth seeing."""

    expected: list[list[float]]
    yours: list[list[float]]
    part: str  # which part of a larger array it is; empty for all of it
    first: tuple[int, int]  # row and column that the two parts begin with


class Verdict(NamedTuple):
    """One check. `kind`: passed; wrong; not done (the gap is still there); broken (it does not run); stopped
    (by the time limit, or the process died).
    """

    kind: str
    message: str = ""
    reason: str = ""
    code: str = ""  # the learner's lines that it is about, numbered
    printed: str = ""  # what the learner's code printed
    warned: tuple[str, ...] = ()  # NumPy's warnings, with their lines
    picture: Picture | None = None

    @property
    def passed(self) -> bool:
        return self.kind == PASSED

    def text(self) -> str:
        """Message and reason, one line each."""
        return "\n".join(part for part in (self.message, self.reason) if part)

    def view(self) -> View:
        """Everything there is to say, as one picture."""
        views: list[View] = [Paragraph(self.message or "Right.", "bold" if self.message else "")]
        if self.code:
            views.append(Verbatim(self.code))
        if self.reason:
            views.append(Paragraph(f"Likely reason: {self.reason}"))
        if self.picture is not None:
            views.append(_drawn(self.picture))
        if self.warned:
            views.append(Paragraph("On the way NumPy warned:\n" + "\n".join(self.warned), "dim"))
        if self.printed:
            views += [Heading("What your code printed"), Verbatim(_cut_print(self.printed))]
        return Stack(*views)

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "picture": self.picture._asdict() if self.picture else None}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Verdict":
        picture = fields.pop("picture")
        fields["warned"] = tuple(fields["warned"])
        return cls(**fields, picture=Picture(**picture) if picture else None)


class Verbatim(View):
    """Lines as they are: code, or what a program printed. What is too long for a row goes on in the next."""

    def __init__(self, text: str) -> None:
        self.text = text

    def draw(self, canvas: Canvas) -> Block:
        rows: Block = []
        for line in self.text.splitlines():
            line = visible(line.expandtabs(4))
            rows += [[Segment(line[i : i + canvas.width])] for i in range(0, max(1, len(line)), canvas.width)]
        return rows

    def html(self) -> str:
        return markup.tag("pre", markup.text(self.text))


def wrong(error: WrongAnswer) -> Verdict:
    """The verdict of a check that has raised."""
    return Verdict(WRONG, error.message, error.reason, picture=_picture(error.expected, error.yours))


def _picture(expected: Any, yours: Any) -> Picture | None:
    """The two-dimensional part around the first wrong entry; None where there is nothing to draw."""
    if expected is None or yours is None:
        return None
    expected, yours = np.asarray(expected, np.float64), np.asarray(yours, np.float64)
    if not expected.size or not yours.size or max(expected.ndim, yours.ndim) < 1:
        return None
    if expected.shape != yours.shape:
        a, b = _as_table(expected), _as_table(yours)
        return Picture(
            a[:MOST_DRAWN, :MOST_DRAWN].tolist(),
            b[:MOST_DRAWN, :MOST_DRAWN].tolist(),
            "the beginning",
            (0, 0),
        )
    unlike = ~close(expected, yours, 1e-6)
    place = tuple(int(i) for i in np.argwhere(unlike)[0]) if unlike.any() else (0,) * expected.ndim
    outer = place[:-2]
    a, b = np.atleast_2d(expected[outer]), np.atleast_2d(yours[outer])  # (R, C)
    row, column = (place[-2] if expected.ndim > 1 else 0), place[-1]
    top, left = _begin(row, a.shape[0]), _begin(column, a.shape[1])
    rows, columns = slice(top, top + MOST_DRAWN), slice(left, left + MOST_DRAWN)
    whole = not outer and max(a.shape) <= MOST_DRAWN
    part = "" if whole else f"around the first wrong entry, [{', '.join(map(str, place))}]"
    return Picture(a[rows, columns].tolist(), b[rows, columns].tolist(), part, (top, left))


def _begin(place: int, length: int) -> int:
    return max(0, min(place - MOST_DRAWN // 2, length - MOST_DRAWN))


def _as_table(x: np.ndarray) -> np.ndarray:
    """Any array as rows: (…, C) -> (R, C)"""
    return x.reshape(-1, x.shape[-1]) if x.ndim > 1 else np.atleast_2d(x)


def _drawn(picture: Picture) -> View:
    a, b = np.array(picture.expected), np.array(picture.yours)
    values = np.concatenate([a[np.isfinite(a)], b[np.isfinite(b)]])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    maps = []
    for x in (a, b):
        rows = [str(picture.first[0] + r) for r in range(x.shape[0])]
        columns = [str(picture.first[1] + c) for c in range(x.shape[1])]
        maps.append(
            HeatMap(x, rows=rows, columns=columns, low=low, high=high, digits=3, caption=picture.part)
        )
    return Beside(*maps, titles=("expected", "yours"))


def _cut_print(text: str) -> str:
    if len(text) <= MOST_PRINTED:
        return text
    return f"{text[:MOST_PRINTED]}\n… and {len(text) - MOST_PRINTED:,} more characters"
