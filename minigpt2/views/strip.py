"""A vector as a strip of colours: every dimension one dot, negative ones blue, positive ones orange.

Two dots stand in a cell, one above the other: the upper row of dots has the first dimensions. Without colours
each dimension is a bar in a cell, from the lowest value to the highest, or without Unicode a digit.
"""

import numpy as np
from rich.segment import Segment

from . import markup, palette
from .charts import EIGHTHS
from .legend import legend_row
from .numbers import number, shares, span
from .view import DIM, Block, Canvas, View, caption_rows, note

WIDEST_DOT = 4  # cells for one dimension of a short vector
OUTLYING = 3.0  # times the size of nearly all others, and a value no longer sets the scale
NEARLY_ALL = 0.98
DOT, HIGH_DOT = 10, 16  # units of an image
MOST_DOTS_IN_HTML = 2048  # that tell their value; of more dimensions there is a picture


class VectorStrip(View):
    """`vector` (D,) with the ends of its scale named.

    The scale runs from `low` to `high`; if not given, evenly to both sides of 0 as far as the values reach,
    a few far out left aside and counted. `rows` is how many rows of text to take at most: the dimensions that
    a dot then stands for are averaged.
    """

    def __init__(
        self,
        vector: np.ndarray,
        *,
        rows: int | None = None,
        low: float | None = None,
        high: float | None = None,
        caption: str = "",
    ) -> None:
        self.vector = np.asarray(vector, dtype=np.float64).reshape(-1)
        self.rows, self.caption = rows, caption
        self.diverging = low is None or low < 0
        self.low, self.high = span(self.vector, low, high, self.diverging)
        self.beyond = 0
        if low is None and high is None and len(self.vector) >= 50:
            sizes = np.abs(self.vector[np.isfinite(self.vector)])
            usual = float(np.quantile(sizes, NEARLY_ALL)) if sizes.size else 0.0
            if 0.0 < OUTLYING * usual < self.high:
                self.low, self.high = -usual, usual
                self.beyond = int((sizes > usual).sum())

    def _about(self) -> str:
        """What stands behind the scale."""
        about = f"{len(self.vector):,} dimension{'s' if len(self.vector) != 1 else ''}"
        if self.beyond:
            finite = self.vector[np.isfinite(self.vector)]
            farthest = finite[np.abs(finite).argmax()]
            about += f", {self.beyond} beyond the scale, the farthest {number(farthest, 3)}"
        return about

    def draw(self, canvas: Canvas) -> Block:
        if not len(self.vector):
            return note("no dimensions", canvas.width) + caption_rows(self.caption, canvas.width)
        values = self.vector
        per_cell = 2 if canvas.depth and canvas.unicode else 1
        many = len(values) > canvas.width * per_cell and canvas.width >= 16 and self.rows != 1
        gutter = len(str(len(values) - 1)) + 1 if many else 0
        room = canvas.width - gutter
        joined = 1
        if self.rows:
            joined = -(-len(values) // (self.rows * room * per_cell))
        if joined > 1:
            starts = np.arange(0, len(values), joined)
            values = np.add.reduceat(values, starts) / np.diff([*starts, len(values)])
        share = shares(values, self.low, self.high)
        if len(values) <= room:
            block = self._one_row(share, min(WIDEST_DOT, room // len(values)), canvas)
        else:
            block = self._many_rows(share, room, gutter, joined, canvas)
        about = self._about() + (f", the mean of {joined} a dot" if joined > 1 else "")
        ends = number(self.low, 3), number(self.high, 3)
        return (
            block
            + legend_row(self.diverging, *ends, canvas, about)
            + caption_rows(self.caption, canvas.width)
        )

    def _one_row(self, share: np.ndarray, dot: int, canvas: Canvas) -> Block:
        if not canvas.depth:
            return [[Segment("".join(glyph * dot for glyph in _glyphs(share, canvas.unicode)))]]
        levels = palette.levels(share)
        return [
            [Segment(" " * dot, palette.cell(self.diverging, int(level), canvas.depth)) for level in levels]
        ]

    def _many_rows(self, share: np.ndarray, room: int, gutter: int, joined: int, canvas: Canvas) -> Block:
        per_cell = 2 if canvas.depth and canvas.unicode else 1
        rows = -(-len(share) // (room * per_cell))
        across = -(-len(share) // (rows * per_cell))
        full = np.full(rows * per_cell * across, np.nan)
        full[: len(share)] = share
        full = full.reshape(rows, per_cell, across)
        block: Block = []
        for row in range(rows):
            first = row * per_cell * across * joined
            head = [Segment(f"{first:>{gutter - 1}} ", DIM)] if gutter else []
            if canvas.depth and not canvas.unicode:
                levels = palette.levels(full[row, 0]).tolist()
                body = [Segment(" ", palette.cell(self.diverging, level, canvas.depth)) for level in levels]
            elif canvas.depth:
                upper, lower = palette.levels(full[row])
                body = [
                    Segment(*palette.halves(self.diverging, a, b, canvas.depth))
                    for a, b in zip(upper.tolist(), lower.tolist(), strict=True)
                ]
            else:
                used = full[row, 0][: len(share) - row * across]
                body = [Segment("".join(_glyphs(used, canvas.unicode)))]
            block.append([*head, *body])
        return block

    def html(self) -> str:
        if not len(self.vector):
            return markup.figure(markup.quiet("no dimensions"), self.caption)
        levels = palette.levels(shares(self.vector, self.low, self.high))
        across = min(len(levels), 96)
        rows = -(-len(levels) // across)
        ends = number(self.low, 3), number(self.high, 3)
        label = f"{self._about()}, from {ends[0]} to {ends[1]}"
        below = markup.ramp(self.diverging, *ends) + markup.quiet(self._about())
        if len(levels) > MOST_DOTS_IN_HTML:
            full = np.full(rows * across, palette.EMPTY)
            full[: len(levels)] = levels
            style = f"width:{across * DOT}px;max-width:100%;image-rendering:pixelated"
            address = markup.pixels(full.reshape(rows, across), self.diverging)
            image = f"<img {markup.attributes_of(alt=label, src=address, style=style)}>"
            return markup.figure(image + below, self.caption)
        shades = palette.scale(self.diverging)
        dots = ""
        for at, level in enumerate(levels.tolist()):
            if level != palette.EMPTY:
                place = {
                    "x": at % across * DOT,
                    "y": at // across * HIGH_DOT,
                    "width": DOT,
                    "height": HIGH_DOT,
                }
                said = f"<title>dimension {at}: {number(self.vector[at])}</title>"
                dots += markup.tag("rect", said, fill=palette.css(shades[level].ground), **place)
        image = markup.svg(across * DOT, rows * HIGH_DOT, label, dots)
        return markup.figure(image + below, self.caption)


def _glyphs(share: np.ndarray, unicode: bool) -> list[str]:
    """One character for each share: a bar or a digit, `?` for NaN."""
    if unicode:
        return ["?" if np.isnan(s) else EIGHTHS[1 + round(float(s) * 7)] for s in share]
    return ["?" if np.isnan(s) else str(round(float(s) * 9)) for s in share]
