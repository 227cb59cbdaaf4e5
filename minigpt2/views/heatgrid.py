"""Many small matrices on one scale, as many in a row as fit: every head of a layer at one glance.

Each value is a dot, two dots a cell one above the other, or larger where there is room. Where the maps are so
large that fewer than three would stand in a row, a dot is the largest of several values.

Maps that belong together, as the heads of one layer, are a group: a row holds whole groups, or else equal
parts of one, so that what stands in a column belongs together too.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import markup, palette
from .legend import densities, density, legend_row
from .numbers import number, shares, span
from .view import BOLD, DIM, Block, Canvas, Row, View, caption_rows, label, note, padded, shown

GAP = 2
MOST_ROWS = 400  # of text, of the whole grid
WIDEST_LABEL = 12  # cells
MAPS_BESIDE = 3  # in a row at least, on a screen that has LEAST_DOTS for each
LEAST_DOTS = 16


class HeatGrid(View):
    """`maps` (n, R, C), each with its title; every `group` of them belong together.

    `labels` (R) stand at the left of the rows.
    """

    def __init__(
        self,
        maps: np.ndarray,
        *,
        titles: Sequence[str],
        low: float | None = None,
        high: float | None = None,
        caption: str = "",
        labels: Sequence[str] = (),
        group: int = 1,
    ) -> None:
        self.maps, self.group = np.asarray(maps, dtype=np.float64), group
        self.titles, self.caption = [shown(title) for title in titles], caption
        self.labels = [label(text) for text in labels]
        self.low, self.high = span(self.maps, low, high)

    def draw(self, canvas: Canvas) -> Block:
        n, R, C = self.maps.shape
        if not self.maps.size:
            return note("no values", canvas.width) + caption_rows(self.caption, canvas.width)
        joined = -(-C // self._most_dots(n, canvas))
        maps = _largest_of(self.maps, joined) if joined > 1 else self.maps
        n, R, C = maps.shape
        levels = palette.levels(shares(maps, self.low, self.high))
        gutter = self._gutter(canvas)
        size, across = self._layout(n, R, C, canvas)
        title = max(map(cell_len, self.titles))
        width = max(C * size, min(title, (canvas.width - gutter) // across - GAP))
        block: Block = []
        done = 0
        for some in _in_rows(n, self.group, across):
            if len(block) >= MOST_ROWS:
                break
            titles = (" " * GAP).join(padded(self.titles[i], width) for i in some)
            block += [[]] if block else []
            block.append([Segment(" " * gutter + titles.rstrip(), BOLD)])
            drawn = [_map_rows(levels[i], size, canvas) for i in some]
            fill = Segment(" " * (width - C * size + GAP))
            for number_of_row, parts in enumerate(zip(*drawn, strict=True)):
                row: Row = [Segment(self._label(number_of_row, len(drawn[0]), gutter), DIM)] if gutter else []
                for part in parts:
                    row += [*part, fill]
                block.append(row[:-1])
            done = some.stop
        if done < n:
            block += note(f"… {n - done:,} more", canvas.width)
        ends = number(self.low, 3), number(self.high, 3)
        block += [[], *legend_row(False, *ends, canvas, glyphs=densities(canvas))]
        if joined > 1:
            block += note(f"a dot is the largest of {joined} × {joined} values", canvas.width)
        return block + caption_rows(self.caption, canvas.width)

    def _gutter(self, canvas: Canvas) -> int:
        """Cells of the labels and the blank behind them."""
        longest = max(map(cell_len, self.labels), default=0)
        return min(longest, WIDEST_LABEL, canvas.width // 4) + 1 if longest else 0

    def _label(self, row: int, rows: int, gutter: int) -> str:
        """The label beside a row of text, which may show several rows of a map."""
        return padded(self.labels[row * len(self.labels) // rows], gutter - 1, "right") + " "

    def _most_dots(self, n: int, canvas: Canvas) -> int:
        """How wide a map may be at most, so that several stand side by side."""
        beside = min(n, MAPS_BESIDE) if canvas.width >= MAPS_BESIDE * LEAST_DOTS else 1
        return max(1, (canvas.width - self._gutter(canvas) + GAP) // beside - GAP)

    def _layout(self, n: int, R: int, C: int, canvas: Canvas) -> tuple[int, int]:
        """Cells that a value is wide, and maps in a row: the largest with which all fit on a screen.

        With labels a row of a map is one row of text at most, beside its label.
        """
        title = max(map(cell_len, self.titles), default=0)
        room = canvas.width - self._gutter(canvas)
        for size in (2, 1) if self.labels else (4, 2, 1):
            width = max(C * size, min(title, 12))
            across = min(n, max(1, (room + GAP) // (width + GAP)))
            halves = canvas.depth and canvas.unicode
            height = -(-R * size // 2) if halves or size > 1 else R
            rows = sum(1 for _ in _in_rows(n, self.group, across))
            if size == 1 or (C * size <= room and rows * (height + 2) <= canvas.height - 6):
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
            images += "<br>" if self.group > 1 and (i + 1) % self.group == 0 else ""
        named = "rows and columns: " + ", ".join(self.labels) if self.labels else ""
        scale = markup.ramp(False, number(self.low, 3), number(self.high, 3))
        return markup.figure(images + scale + markup.quiet(markup.text(named)), self.caption)


def _in_rows(n: int, group: int, across: int) -> Iterator[range]:
    """Which of n maps stand in one row, at most `across`: whole groups, or equal parts of one."""
    if across >= group:
        across -= across % group
        group = n
    else:
        across = -(-group // -(-group // across))
    for first in range(0, n, group):
        stop = min(n, first + group)
        for start in range(first, stop, across):
            yield range(start, min(stop, start + across))


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
    if size == 1 and canvas.depth and canvas.unicode:
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
