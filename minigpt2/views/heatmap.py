"""A matrix as colours, with its numbers in the cells where there is room.

Columns carry their labels where these fit above a cell, else numbers; rows with the same labels then carry
the same numbers. NaN is no value and leaves its cell empty, as under a causal mask. Without colours there are
the numbers alone, and where they do not fit, characters from light to dense.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import markup, palette
from .legend import densities, density, legend_row
from .numbers import fixed, number, shares, span
from .view import BOLD, Block, Canvas, Row, View, caption_rows, cut, label, listed, note, padded

MOST_ROWS = 60
MOST_IN_HTML = 64  # rows and columns with a number in each cell; larger ones are an image
WIDEST_CELL = 14


class Plan(NamedTuple):
    """How a matrix is laid out on a canvas."""

    texts: list[list[str]] | None  # what the cells say
    width: int  # of a cell
    gutter: int  # cells of the row labels and the blank behind them
    columns: int  # that are shown
    row_labels: list[str]
    named: bool  # every column carries its label


class HeatMap(View):
    """`values` (R, C) with R labels `rows` and C labels `columns`.

    The scale runs from `low` to `high`, by default as far as the values reach, around 0 if `diverging`.
    Numbers have `digits` decimals; with `numbers` False there are none, with True or None where they fit.
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
        self.values = self.values.reshape(len(rows), len(columns))  # (R, C)
        self.rows, self.columns = [label(name) for name in rows], [label(name) for name in columns]
        self.diverging, self.digits, self.caption, self.numbers = diverging, digits, caption, numbers
        self.low, self.high = span(self.values, low, high, diverging)

    def draw(self, canvas: Canvas) -> Block:
        if not self.values.size:
            return note("no values", canvas.width) + caption_rows(self.caption, canvas.width)
        plan = self._plan(canvas)
        R, C = len(plan.row_labels), plan.columns
        levels = palette.levels(shares(self.values[:R, :C], self.low, self.high)).tolist()  # (R, C)
        block = [self._head(plan)]
        for r in range(R):
            row = [Segment(padded(plan.row_labels[r], plan.gutter - 1) + " ")]
            row += [self._cell(r, c, levels[r][c], plan, canvas) for c in range(C)]
            block.append(row)
        return block + self._below(canvas, plan) + caption_rows(self.caption, canvas.width)

    def _plan(self, canvas: Canvas) -> Plan:
        """The most telling layout with all columns; without numbers and with columns cut if there is none."""
        R, C = min(len(self.rows), MOST_ROWS), len(self.columns)
        columns = max(map(cell_len, self.columns[: canvas.width])) + 1
        limits = [max(4, canvas.width // part) for part in (3, 4, 6)]  # what row labels may take
        for texts in self._wordings(R, C, canvas):
            longest = max(len(text) for row in texts for text in row) if texts else 1
            for limit, padding in ((limit, padding) for limit in limits for padding in (2, 1)):
                least = longest + padding
                for named in (True, False):
                    row_labels = self._row_labels(R, named)
                    gutter = min(max(map(cell_len, row_labels)), limit) + 1
                    room = (canvas.width - gutter) // C
                    wanted = min(max(least, columns), WIDEST_CELL) if named else least
                    if room >= least and not (named and self._cut_heads(min(room, wanted))):
                        return Plan(texts, min(room, wanted), gutter, C, row_labels, named)
        row_labels = self._row_labels(R, False)
        gutter = min(max(map(cell_len, row_labels)), limits[-1]) + 1
        return Plan(None, 1, gutter, min(C, max(1, canvas.width - gutter)), row_labels, False)

    def _wordings(self, R: int, C: int, canvas: Canvas) -> Iterator[list[list[str]] | None]:
        """What cells may show, the longest first, nothing at the end."""
        wordings = [(self.digits, False), *((digits, True) for digits in range(self.digits, 0, -1))]
        for digits, strip in wordings if self.numbers is not False else []:
            shortest = digits + (1 if strip else 2) + 1  # with the blank between two numbers
            if C * shortest < canvas.width:
                yield [[_number(value, digits, strip) for value in row] for row in self.values[:R].tolist()]
        yield None

    def _row_labels(self, R: int, named: bool) -> list[str]:
        """The first R; with their numbers in front where the same labels are columns that have only these."""
        if named or self.rows != self.columns:
            return self.rows[:R]
        digits = len(str(R - 1))
        return [f"{i:>{digits}} {name}" for i, name in enumerate(self.rows[:R])]

    def _cut_heads(self, width: int) -> bool:
        """True if too many labels of columns are cut above cells of this width."""
        return sum(cell_len(name) >= width for name in self.columns) > len(self.columns) // 4

    def _cell(self, r: int, c: int, level: int, plan: Plan, canvas: Canvas) -> Segment:
        if level == palette.EMPTY:
            return Segment(" " * plan.width)
        style = palette.cell(self.diverging, level, canvas.depth)
        if plan.texts is not None:
            return Segment(plan.texts[r][c].center(plan.width), style)
        if canvas.depth:
            return Segment(" " * plan.width, style)
        return Segment(density(level / (palette.LEVELS - 1), canvas) * plan.width)

    def _head(self, plan: Plan) -> Row:
        gutter, width = Segment(" " * plan.gutter), plan.width
        if plan.named:
            names = [padded(cut(name, width - 1), width, "center") for name in self.columns]
            return [gutter, Segment("".join(names).rstrip(), BOLD)]
        heads = (
            [str(c) for c in range(plan.columns)] if self._numbered(plan) else self.columns[: plan.columns]
        )
        every = -(-(max(map(cell_len, heads)) + 1) // width)  # columns that one head takes
        cells = ""
        for c in range(0, plan.columns, every):
            room = min(every, plan.columns - c) * width
            head = heads[c] if cell_len(heads[c]) <= room else ""
            cells += padded(head, room, "center" if every == 1 else "left")
        return [gutter, Segment(cells.rstrip(), BOLD)]

    def _numbered(self, plan: Plan) -> bool:
        """True if columns have numbers; of labels that are numbers themselves every so many is shown."""
        are_numbers = all(name.lstrip("#").isdigit() for name in self.columns)
        return not plan.named and (self.rows == self.columns or not are_numbers)

    def _below(self, canvas: Canvas, plan: Plan) -> Block:
        ends = number(self.low, 3), number(self.high, 3)
        block: Block = []
        if canvas.depth or plan.texts is None:
            block += legend_row(self.diverging, *ends, canvas, glyphs=densities(canvas))
        if self.rows != self.columns and self._numbered(plan):
            names = [f"{c} {name}" for c, name in enumerate(self.columns[: plan.columns])]
            block += listed(["columns:", *names], canvas.width)
        if len(self.columns) > plan.columns:
            block += note(f"… {len(self.columns) - plan.columns:,} more columns", canvas.width)
        if len(self.rows) > MOST_ROWS:
            block += note(f"… {len(self.rows) - MOST_ROWS:,} more rows", canvas.width)
        return block

    def html(self) -> str:
        if not self.values.size:
            return markup.figure(markup.quiet("no values"), self.caption)
        R, C = self.values.shape
        levels = palette.levels(shares(self.values, self.low, self.high))
        ends = number(self.low, 3), number(self.high, 3)
        scale = markup.ramp(self.diverging, *ends)
        if max(R, C) > MOST_IN_HTML:
            said = f"{R} rows, {C} columns, from {ends[0]} to {ends[1]}"
            style = f"width:{min(960, 8 * C)}px;max-width:100%;image-rendering:pixelated"
            address = markup.pixels(levels, self.diverging)
            image = f"<img {markup.attributes_of(alt=said, src=address, style=style)}>"
            return markup.figure(image + scale, self.caption)
        head = ""
        for name in self.columns:
            head += markup.tag("th", markup.text(name), "padding:1px 6px;font-weight:normal", scope="col")
        body = ""
        for r, name in enumerate(self.rows):
            style = "text-align:left;padding:1px 8px 1px 0;font-weight:normal"
            row = markup.tag("th", markup.text(name), style, scope="row")
            row += "".join(self._html_cell(r, c, level) for c, level in enumerate(levels[r].tolist()))
            body += f"<tr>{row}</tr>"
        table = markup.tag("table", f"<tr><td></td>{head}</tr>{body}", "border-collapse:collapse")
        return markup.figure(table + scale, self.caption)

    def _html_cell(self, r: int, c: int, level: int) -> str:
        if level == palette.EMPTY:
            return "<td></td>"
        shade = palette.scale(self.diverging)[level]
        text = "" if self.numbers is False else fixed(self.values[r, c], self.digits)
        said = f"{self.rows[r]}, {self.columns[c]}: {number(self.values[r, c])}"
        style = f"padding:3px 7px;text-align:center;{markup.shade_style(shade)}"
        return markup.tag("td", text, style, title=said)


def _number(value: float, digits: int, strip: bool) -> str:
    """A number in a cell: `.83` for 0.83 if `strip`; nothing for NaN."""
    if math.isnan(value):
        return ""
    text = fixed(value, digits)
    return text.replace("0.", ".", 1) if strip and text.lstrip("-").startswith("0.") else text
