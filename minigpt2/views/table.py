"""A table that is never wider than the terminal.

Columns of numbers keep their digits, aligned at the decimal point. Where room is short the widest columns of
text give way first, then long headings; a table that is still too wide becomes a list, one row after the
other with the name of the column before each value.
"""

import numbers as number_kinds
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment

from . import markup
from .numbers import aligned
from .view import BOLD, DIM, Block, Canvas, View, caption_rows, cut, note, padded, shown

GAP = 2
MOST_ROWS = 200  # on a terminal
MOST_ROWS_IN_HTML = 2000
EDGE = "rgba(128,128,128,.25)"
LEAST_TEXT = (12, 8)  # cells that a column of text keeps, before and after headings are cut


class Table(View):
    """`rows` of str, int, float or None under the names of their `columns`.

    `align` names for each column left, right or center; by default numbers stand right and text left.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        caption: str = "",
        align: Sequence[str] | None = None,
    ) -> None:
        self.columns, self.rows, self.caption = list(columns), rows, caption
        self.align = list(align) if align else None

    def cells(self, most: int | None = None) -> tuple[list[list[str]], list[bool]]:
        """Column by column the texts of the first `most` rows (None: all), and which columns are numbers."""
        texts, numeric = [], []
        for place in range(len(self.columns)):
            values = [row[place] if place < len(row) else None for row in self.rows[:most]]
            given = [value for value in values if value is not None]
            is_numeric = bool(given) and all(
                isinstance(value, number_kinds.Real) and not isinstance(value, bool) for value in given
            )
            numeric.append(is_numeric)
            if is_numeric and not all(isinstance(value, number_kinds.Integral) for value in given):
                spelled = iter(aligned(given))
                texts.append(["" if value is None else next(spelled) for value in values])
            else:
                texts.append(["" if value is None else shown(value) for value in values])
        return texts, numeric

    def _aligns(self, numeric: list[bool]) -> list[str]:
        return self.align or ["right" if is_numeric else "left" for is_numeric in numeric]

    def draw(self, canvas: Canvas) -> Block:
        if not self.columns:
            return caption_rows(self.caption, canvas.width)
        texts, numeric = self.cells(MOST_ROWS)
        names = [shown(name) for name in self.columns]
        widths = _fit(names, texts, numeric, canvas.width)
        if widths is None:
            rows = _as_list(names, texts, canvas.width)
        else:
            rows = _as_grid(names, texts, widths, self._aligns(numeric))
        if len(self.rows) > MOST_ROWS:
            rows += note(f"… {len(self.rows) - MOST_ROWS:,} more rows", canvas.width)
        return rows + caption_rows(self.caption, canvas.width)

    def html(self) -> str:
        texts, numeric = self.cells(MOST_ROWS_IN_HTML)
        aligns = self._aligns(numeric)
        line = "padding:2px 10px;border-bottom:1px solid"

        def cell(name: str, content: object, align: str, edge: str, **attributes: str) -> str:
            style = f"{line} {edge};text-align:{align};font-variant-numeric:tabular-nums"
            return markup.tag(name, markup.text(content), style, **attributes)

        heads = zip(self.columns, aligns, strict=True)
        head = "".join(cell("th", name, align, "currentColor", scope="col") for name, align in heads)
        body = ""
        for row in zip(*texts, strict=True):
            cells = zip(row, aligns, strict=True)
            body += f"<tr>{''.join(cell('td', text, align, EDGE) for text, align in cells)}</tr>"
        content = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        table = markup.tag("table", content, "border-collapse:collapse")
        left = markup.more(len(self.rows) - MOST_ROWS_IN_HTML, "more rows")
        return markup.figure(table + left, self.caption)


def _fit(names: list[str], texts: list[list[str]], numeric: list[bool], width: int) -> list[int] | None:
    """A width for each column, their sum with the gaps at most `width`; None where that cannot be."""
    content = [max(map(cell_len, column), default=0) for column in texts]
    widths = [max(cell_len(name), cells) for name, cells in zip(names, content, strict=True)]
    room = width - GAP * (len(widths) - 1)
    for least_text, least_head in ((LEAST_TEXT[0], None), (LEAST_TEXT[0], 4), (LEAST_TEXT[1], 4)):
        least = []
        for place, natural in enumerate(widths):
            if not numeric[place]:
                least.append(min(natural, least_text))
            else:
                least.append(natural if least_head is None else max(content[place], min(natural, least_head)))
        shrunk = _shrink(widths, least, room)
        if sum(shrunk) <= room:
            return shrunk
    return None


def _shrink(widths: list[int], least: list[int], room: int) -> list[int]:
    """The widest columns give way together, down to `least`, until the sum is at most `room`."""
    widths = list(widths)
    while (over := sum(widths) - room) > 0:
        can = [place for place, width in enumerate(widths) if width > least[place]]
        if not can:
            break
        most = max(widths[place] for place in can)
        widest = [place for place in can if widths[place] == most]
        # Down to the next narrower column, or to where the first of these may not shrink any more.
        floor = max(
            [least[place] for place in widest] + [widths[place] for place in can if widths[place] < most]
        )
        each, rest = divmod(min(over, len(widest) * (most - floor)), len(widest))
        for number, place in enumerate(widest):
            widths[place] -= each + (number >= len(widest) - rest)
    return widths


def _as_grid(names: list[str], texts: list[list[str]], widths: list[int], aligns: list[str]) -> Block:
    gap = " " * GAP
    parts = list(zip(widths, aligns, strict=True))
    head = gap.join(padded(name, width, align) for name, (width, align) in zip(names, parts, strict=True))
    rows: Block = [[Segment(head.rstrip(), BOLD)], [Segment(gap.join("─" * width for width in widths), DIM)]]
    for cells in zip(*texts, strict=True):
        line = gap.join(padded(text, width, align) for text, (width, align) in zip(cells, parts, strict=True))
        rows.append([Segment(line.rstrip())])
    return rows


def _as_list(names: list[str], texts: list[list[str]], width: int) -> Block:
    gutter = min(max(map(cell_len, names)), max(1, width // 2 - 2))
    rows: Block = []
    for number, cells in enumerate(zip(*texts, strict=True)):
        rows += [[]] if number else []
        for name, text in zip(names, cells, strict=True):
            rows.append(
                [Segment(padded(name, gutter), BOLD), Segment("  " + cut(text, max(0, width - gutter - 2)))]
            )
    return rows
