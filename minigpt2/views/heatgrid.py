"""Many small matrices on one scale, as many in a row as fit: every head of a layer at one glance.

Each value is a dot, two dots a cell one above the other, or larger where there is room. Where the maps are so
large that fewer than three would stand in a row, a dot is the largest of several values.
"""

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import markup, palette
from .legend import densities, density, legend_row
from .numbers import number, shares, span
from .view import BOLD, Block, Canvas, Row, View, caption_rows, label, listed, note, padded, shown

GAP = 2
MOST_ROWS = 400  # of text, of the whole grid
MOST_LABELS = 60
MAPS_BESIDE = 3  # in a row at least, on a screen that has LEAST_DOTS for each
LEAST_DOTS = 16


class HeatGrid(View):
    """`maps` (n, R, C), each with its title. `labels` name what the rows and columns stand for, in order."""

    def __init__(
        self,
        maps: np.ndarray,
        *,
        titles: Sequence[str],
        low: float | None = None,
        high: float | None = None,
        caption: str = "",
        labels: Sequence[str] | None = None,
    ) -> None:
        self.maps = np.asarray(maps, dtype=np.float64)
        self.titles, self.caption = [shown(title) for title in titles], caption
        self.labels = None if labels is None else [label(text) for text in labels]
        self.low, self.high = span(self.maps, low, high)

    def draw(self, canvas: Canvas) -> Block:
        n, R, C = self.maps.shape
        if not self.maps.size:
            return note("no values", canvas.width) + caption_rows(self.caption, canvas.width)
        joined = -(-C // self._most_dots(n, canvas))
        maps = _largest_of(self.maps, joined) if joined > 1 else self.maps
        n, R, C = maps.shape
        levels = palette.levels(shares(maps, self.low, self.high))
        size, across = self._layout(n, R, C, canvas)
        title = max(map(cell_len, self.titles))
        width = max(C * size, min(title, canvas.width // across - GAP))
        block: Block = []
        done = 0
        while done < n and len(block) < MOST_ROWS:
            some = range(done, min(n, done + across))
            gap = " " * GAP
            block += [[]] if block else []
            block.append([Segment(gap.join(padded(self.titles[i], width) for i in some).rstrip(), BOLD)])
            drawn = [_map_rows(levels[i], size, canvas) for i in some]
            fill = Segment(" " * (width - C * size + GAP))
            for parts in zip(*drawn, strict=True):
                row: Row = []
                for part in parts:
                    row += [*part, fill]
                block.append(row[:-1])
            done += len(some)
        if done < n:
            block += note(f"… {n - done:,} more", canvas.width)
        ends = number(self.low, 3), number(self.high, 3)
        block += [[], *legend_row(False, *ends, canvas, glyphs=densities(canvas))]
        if joined > 1:
            block += note(f"a dot is the largest of {joined} × {joined} values", canvas.width)
        if self.labels:
            named = [f"{i} {name}" for i, name in enumerate(self.labels[:MOST_LABELS])]
            named += [f"… {len(self.labels) - MOST_LABELS:,} more"] if len(self.labels) > MOST_LABELS else []
            block += listed(named, canvas.width)
        return block + caption_rows(self.caption, canvas.width)

    def _most_dots(self, n: int, canvas: Canvas) -> int:
        """How wide a map may be at most, so that several stand side by side."""
        beside = min(n, MAPS_BESIDE) if canvas.width >= MAPS_BESIDE * LEAST_DOTS else 1
        return max(1, (canvas.width + GAP) // beside - GAP)

    def _layout(self, n: int, R: int, C: int, canvas: Canvas) -> tuple[int, int]:
        """Cells that a value is wide, and maps in a row: the largest with which all fit on a screen."""
        title = max(map(cell_len, self.titles), default=0)
        for size in (4, 2, 1):
            width = max(C * size, min(title, 12))
            across = min(n, max(1, (canvas.width + GAP) // (width + GAP)))
            height = -(-R * size // 2) if canvas.depth or size > 1 else R
            if size == 1 or (
                C * size <= canvas.width and -(-n // across) * (height + 2) <= canvas.height - 6
            ):
                return size, across
        raise AssertionError("size 1 always returns")

    def html(self) -> str:
        n, R, C = self.maps.shape
        levels = palette.levels(shares(self.maps, self.low, self.high))
        side = max(1, min(12, 180 // max(1, C)))
        images = ""
        for i in range(n if self.maps.size else 0):
            said = f"{self.titles[i]}: {R} rows, {C} columns"
            style = f"width:{side * C}px;height:{side * R}px;image-rendering:pixelated"
            image = (
                f"<img {markup.attributes_of(alt=said, src=markup.pixels(levels[i], False), style=style)}>"
            )
            style = "display:inline-block;margin:0 14px 10px 0;vertical-align:top"
            images += markup.tag("div", markup.tag("div", markup.text(self.titles[i])) + image, style)
        named = "  ".join(f"{i} {name}" for i, name in enumerate(self.labels or ()))
        scale = markup.ramp(False, number(self.low, 3), number(self.high, 3))
        return markup.figure(images + scale + markup.quiet(markup.text(named)), self.caption)


def _largest_of(maps: np.ndarray, joined: int) -> np.ndarray:
    """(n, R, C) -> (n, ⌈R / joined⌉, ⌈C / joined⌉): the largest of each square; NaN where it has none."""
    n, R, C = maps.shape
    rows, columns = -(-R // joined), -(-C // joined)
    full = np.full((n, rows * joined, columns * joined), -np.inf)
    full[:, :R, :C] = np.where(np.isnan(maps), -np.inf, maps)
    largest = full.reshape(n, rows, joined, columns, joined).max(axis=(2, 4))  # (n, rows, columns)
    return np.where(np.isneginf(largest), np.nan, largest)


def _map_rows(levels: np.ndarray, size: int, canvas: Canvas) -> Block:
    """(R, C) levels -> rows of C·size cells"""
    if size == 1 and canvas.depth:
        if len(levels) % 2:
            levels = np.vstack([levels, np.full((1, levels.shape[1]), palette.EMPTY)])
        return [
            [Segment(*palette.halves(False, a, b, canvas.depth)) for a, b in zip(upper, lower, strict=True)]
            for upper, lower in zip(levels[::2].tolist(), levels[1::2].tolist(), strict=True)
        ]
    rows: Block = []
    for row in levels.tolist():
        drawn: Row = []
        for level in row:
            if level == palette.EMPTY:
                drawn.append(Segment(" " * size))
            elif canvas.depth:
                drawn.append(Segment(" " * size, palette.cell(False, level, canvas.depth)))
            else:
                drawn.append(Segment(density(level / (palette.LEVELS - 1), canvas) * size))
        rows += [drawn] * max(1, size // 2)
    return rows
