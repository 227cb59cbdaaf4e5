"""A matrix as colours, with its numbers in the cells where there is room.

Columns carry their labels where these fit above a cell, some of them where they are short, else numbers; rows
whose labels are the columns' carry the same numbers. NaN is no value and leaves its cell empty, as under a causal mask. Without colours the numbers
alone are shown, and where they do not fit, characters from light to dense.
"""

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import markup, palette
from .legend import densities, density, legend_row
from .numbers import fixed, number, shares, span
from .view import BOLD, Block, Canvas, View, caption_rows, note, padded, shown

MOST_ROWS = 60
MOST_IN_HTML = 64  # rows and columns with a number in each cell; larger ones are an image
WIDEST_CELL = 11
SHORT_LABEL = 5  # cells


class HeatMap(View):
    """`values` (R, C) with R labels `rows` and C labels `columns`.

    The scale runs from `low` to `high`, by default as far as the values reach, around 0 if `diverging`.
    Numbers have `digits` decimals; `numbers` True or False asks for them or for none, None leaves it to the room.
    """

    def __init__(
        self,
        values: np.ndarray,
        *,
        rows: Sequence[str],
        columns: Sequence[str],
        low: float | None = None,
        high: float | None = None,
        diverging: bool = False,
        digits: int = 2,
        caption: str = "",
        numbers: bool | None = None,
    ) -> None:
        self.values = np.asarray(values, dtype=np.float64)
        self.values = self.values.reshape(len(rows), len(columns))
        self.rows, self.columns = [shown(label) for label in rows], [shown(label) for label in columns]
        self.diverging, self.digits, self.caption, self.numbers = diverging, digits, caption, numbers
        self.low, self.high = span(self.values, low, high, diverging)

    def draw(self, canvas: Canvas) -> Block:
        if not self.values.size:
            return note("no values", canvas.width) + caption_rows(self.caption, canvas.width)
        texts, width = self._layout(canvas)
        label_cells = self._label_cells(self.columns)
        numbered = width < label_cells and label_cells > SHORT_LABEL
        same = self.rows == self.columns
        row_labels = [f"{i} {label}" for i, label in enumerate(self.rows)] if numbered and same else self.rows
        R = min(len(row_labels), MOST_ROWS)
        gutter = min(self._label_cells(row_labels[:R]), self._gutter(canvas)) + 1
        C = min(len(self.columns), max(1, (canvas.width - gutter) // width))
        levels = palette.levels(shares(self.values[:R, :C], self.low, self.high))  # (R, C)
        block = [self._head(gutter, width, C, numbered)]
        for r in range(R):
            row = [Segment(padded(row_labels[r], gutter - 1) + " ")]
            for c in range(C):
                row.append(self._cell(r, c, int(levels[r, c]), texts, width, canvas))
            block.append(row)
        block += self._below(canvas, C, R, numbered and not same)
        return block + caption_rows(self.caption, canvas.width)

    def _gutter(self, canvas: Canvas) -> int:
        return max(3, canvas.width // 3)

    @staticmethod
    def _label_cells(labels: Sequence[str]) -> int:
        return max(map(cell_len, labels), default=0)

    def _layout(self, canvas: Canvas) -> tuple[list[list[str]] | None, int]:
        """The texts of the cells, if there are any, and how wide a cell is."""
        R, C = min(len(self.rows), MOST_ROWS), len(self.columns)
        gutter = min(self._label_cells(self.rows[:R]), self._gutter(canvas)) + 1
        room = (canvas.width - gutter) // C
        if self.numbers is not False and room >= 2:
            for digits, strip in (
                (self.digits, False),
                (self.digits, True),
                *((d, True) for d in range(self.digits - 1, 0, -1)),
            ):
                texts = [[_number(v, digits, strip) for v in row[:C]] for row in self.values[:R]]
                longest = max(len(text) for row in texts for text in row)
                if longest + 1 <= room:
                    labels = self._label_cells(self.columns) + 2
                    return texts, min(room, max(longest + 2, min(labels, WIDEST_CELL)))
        return None, min(2, max(1, room))

    def _cell(
        self, r: int, c: int, level: int, texts: list[list[str]] | None, width: int, canvas: Canvas
    ) -> Segment:
        style = palette.cell(self.diverging, level, canvas.depth)
        if level == palette.EMPTY:
            return Segment(" " * width)
        if texts is not None:
            return Segment(padded(texts[r][c], width, "center"), style)
        if canvas.depth:
            return Segment(" " * width, style)
        return Segment(density(level / (palette.LEVELS - 1), canvas) * width)

    def _head(self, gutter: int, width: int, C: int, numbered: bool) -> list[Segment]:
        labels = [str(c) for c in range(C)] if numbered else self.columns[:C]
        every = 1
        if numbered or width < self._label_cells(labels):
            every = max(1, -(-(self._label_cells(labels) + 1) // width))
        cells = ""
        for c in range(0, C, every):
            room = min(every, C - c) * width
            label = labels[c] if every == 1 or cell_len(labels[c]) <= room else ""
            cells += padded(label, room, "left" if every > 1 else "center")
        return [Segment(" " * gutter), Segment(cells.rstrip(), BOLD)]

    def _below(self, canvas: Canvas, C: int, R: int, legend: bool) -> Block:
        ends = number(self.low, 3), number(self.high, 3)
        block = legend_row(self.diverging, *ends, canvas, glyphs=densities(canvas))
        if legend:
            names = "  ".join(f"{c} {label}" for c, label in enumerate(self.columns[:C]))
            block += note(f"columns: {names}", canvas.width)
        if len(self.columns) > C:
            block += note(f"… {len(self.columns) - C:,} more columns", canvas.width)
        if len(self.rows) > R:
            block += note(f"… {len(self.rows) - R:,} more rows", canvas.width)
        return block

    def html(self) -> str:
        levels = palette.levels(shares(self.values, self.low, self.high))
        scale = markup.ramp(self.diverging, number(self.low, 3), number(self.high, 3))
        if not self.values.size:
            return markup.figure("no values", self.caption)
        if max(self.values.shape) > MOST_IN_HTML:
            R, C = self.values.shape
            label = f"{R} rows, {C} columns, from {number(self.low, 3)} to {number(self.high, 3)}"
            image = (
                f'<img alt={markup.attribute(label)} src="{markup.pixels(levels, self.diverging)}" '
                f'style="width:{min(960, 8 * C)}px;max-width:100%;image-rendering:pixelated">'
            )
            return markup.figure(image + scale, self.caption)
        shades = palette.scale(self.diverging)
        head = "".join(
            f'<th scope="col" style="padding:1px 6px;font-weight:normal">{markup.text(label)}</th>'
            for label in self.columns
        )
        body = []
        for r, label in enumerate(self.rows):
            cells = []
            for c, level in enumerate(levels[r].tolist()):
                if level == palette.EMPTY:
                    cells.append("<td></td>")
                    continue
                text = "" if self.numbers is False else fixed(self.values[r, c], self.digits)
                title = markup.attribute(f"{label}, {self.columns[c]}: {number(self.values[r, c])}")
                cells.append(
                    f'<td title={title} style="padding:3px 7px;text-align:center;{markup.shade_style(shades[level])}">{text}</td>'
                )
            head_cell = f'<th scope="row" style="text-align:left;padding:1px 8px 1px 0;font-weight:normal">{markup.text(label)}</th>'
            body.append(f"<tr>{head_cell}{''.join(cells)}</tr>")
        table = f'<table style="border-collapse:collapse"><tr><td></td>{head}</tr>{"".join(body)}</table>'
        return markup.figure(table + scale, self.caption)


def _number(value: float, digits: int, strip: bool) -> str:
    """A number in a cell: `.83` for 0.83 if `strip`; nothing for NaN."""
    if np.isnan(value):
        return ""
    text = fixed(value, digits)
    return text.replace("0.", ".", 1) if strip and text.lstrip("-").startswith("0.") else text
