"""Points on a plane, each with its name and, where there is room, the beginning of its text.

The whole texts are listed above the map on a terminal, so that the map is what stays in sight, and below it in
HTML.
"""

from collections.abc import Collection, Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from . import markup, palette
from .view import BOLD, DIM, Block, Canvas, Row, View, caption_rows, cut, note, padded, shown

MOST_LABELS = 40  # of the list, on a terminal
LIST_COLUMN = 64  # cells that a column of the list has at least
LEAST_TEXT, MOST_TEXT = 8, 32  # cells of a text beside its dot
WIDE, HIGH = 640, 420  # units of the image
SPOT = 4.5


class Scatter(View):
    """`points` (n, 2) with n `labels`; points of one group of `groups` share a colour; `marked` stand out.

    `names` (n) are the short names at the dots, by default 1 to n. A point that is not finite is listed and not
    drawn.
    """

    def __init__(
        self,
        points: np.ndarray,
        *,
        labels: Sequence[str],
        names: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        marked: Collection[int] = (),
        caption: str = "",
    ) -> None:
        self.points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        self.labels, self.caption = [shown(label) for label in labels], caption
        self.names = [shown(name) for name in names or range(1, len(self.labels) + 1)]
        self.groups = None if groups is None else [shown(group) for group in groups]
        self.marked = set(marked)

    def _hues(self) -> list[int]:
        if self.groups is None:
            return [0] * len(self.labels)
        order = {group: i for i, group in enumerate(dict.fromkeys(self.groups))}
        return [order[group] for group in self.groups]

    def _unit(self) -> tuple[np.ndarray, np.ndarray]:
        """(n, 2) places of 0 … 1 from the lower left, and (n,) which are finite"""
        finite = np.isfinite(self.points).all(axis=1)
        inside = self.points[finite]
        unit = np.full(self.points.shape, 0.5)
        if len(inside):
            low, high = inside.min(axis=0), inside.max(axis=0)
            width = np.where(high > low, 0.5 * high - 0.5 * low, 1.0)
            unit[finite] = np.where(high > low, (0.5 * inside - 0.5 * low) / width, 0.5)
        return unit, finite

    def draw(self, canvas: Canvas) -> Block:
        if not self.labels:
            return note("no points", canvas.width) + caption_rows(self.caption, canvas.width)
        width = canvas.width
        height = max(5, min(width // 4, canvas.height - 8, 30))
        unit, finite = self._unit()
        across, down = width - 2, height - 2
        cells: dict[tuple[int, int], Segment] = {}
        hues = self._hues()
        order = sorted(range(len(self.labels)), key=lambda i: (i not in self.marked, i))
        places = {}
        for i in order:
            if finite[i]:
                column = min(across - 1, int(unit[i, 0] * across))
                row = min(down - 1, int((1.0 - unit[i, 1]) * down))
                places[i] = (row, column)
                style = palette.ink(hues[i], canvas.depth, bold=i in self.marked)
                cells.setdefault((row, column), Segment("★" if i in self.marked else "●", style))
        ends = {}  # behind the names that stand to the right of their dots
        for i, (row, column) in places.items():
            text = self.names[i]
            size = cell_len(text)
            for start in (column + 1, column - size):
                around = [(row, start - 1), (row, start + size)]
                if (
                    0 <= start <= across - size
                    and not any((row, start + k) in cells for k in range(size))
                    and not any(at in cells and at != (row, column) for at in around)
                ):
                    _put(cells, row, start, text, palette.ink(hues[i], canvas.depth))
                    if start > column:
                        ends[i] = start + size
                    break
        for i, end in ends.items():
            row = places[i][0]
            room = next((k for k in range(across - end) if (row, end + k) in cells), across - end + 1) - 2
            text = cut(self.labels[i], min(room, MOST_TEXT))
            if room >= min(LEAST_TEXT, cell_len(self.labels[i])):
                _put(cells, row, end + 1, text, DIM)
        edge = "─" * across
        block: Block = [*self._list(canvas, hues), [Segment(f"┌{edge}┐", DIM)]]
        for row in range(down):
            content = [cells.get((row, column), Segment(" ")) for column in range(across)]
            block.append([Segment("│", DIM), *content, Segment("│", DIM)])
        block.append([Segment(f"└{edge}┘", DIM)])
        return block + caption_rows(self.caption, width)

    def _list(self, canvas: Canvas, hues: list[int]) -> Block:
        """Names and labels, one below the other in as many columns as there is room for."""
        count = min(len(self.labels), MOST_LABELS)
        columns = max(1, canvas.width // LIST_COLUMN)
        height = -(-count // columns)
        width = canvas.width // columns
        gutter = max(map(cell_len, self.names[:count]))
        block: Block = []
        for first in range(height):
            row: Row = []
            for i in range(first, count, height):
                name = padded(self.names[i], gutter, "right") + " "
                row.append(Segment(name, palette.ink(hues[i], canvas.depth, bold=i in self.marked)))
                room = max(0, width - gutter - 2)
                group = f"  ({self.groups[i]})" if self.groups else ""
                text = cut(self.labels[i], max(room - cell_len(group), room // 2)) + group
                text = cut(text, room) if i + height >= count else padded(text, room) + " "
                row.append(Segment(text, BOLD if i in self.marked else None))
            block.append(row)
        if len(self.labels) > MOST_LABELS:
            block += note(f"… {len(self.labels) - MOST_LABELS:,} more", canvas.width)
        return block

    def html(self) -> str:
        unit, finite = self._unit()
        hues = self._hues()
        parts = [
            f'<rect x=".5" y=".5" width="{WIDE - 1}" height="{HIGH - 1}" fill="none" stroke="currentColor" stroke-opacity=".3"/>'
        ]
        items = []
        for i, label in enumerate(self.labels):
            colour = palette.css(palette.inks()[hues[i] % len(palette.INK_HUES)])
            said = f"{label} ({self.groups[i]})" if self.groups else label
            if finite[i]:
                x, y = 20 + unit[i, 0] * (WIDE - 50), HIGH - 20 - unit[i, 1] * (HIGH - 40)
                size = SPOT * (1.6 if i in self.marked else 1.0)
                parts.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}"><title>{markup.text_in_svg(said)}</title></circle>'
                )
                parts.append(f'<text x="{x + 7:.1f}" y="{y + 4:.1f}">{markup.text_in_svg(self.names[i])}</text>')
            items.append(f"<li>{markup.text(self.names[i])} {markup.text(said)}</li>")
        image = markup.svg(WIDE, HIGH, f"{len(self.labels)} points", "".join(parts))
        return markup.figure(
            f'{image}<ul style="margin:6px 0;padding:0;list-style:none">{"".join(items)}</ul>', self.caption
        )


def _put(cells: dict[tuple[int, int], Segment], row: int, column: int, text: str, style: Style) -> None:
    """The characters of a text into the cells of a row; the cell behind a wide character holds nothing."""
    for c in text:
        size = cell_len(c)
        if size == 0 and (row, column - 1) in cells:  # joined to the character before it
            before = cells[row, column - 1]
            cells[row, column - 1] = Segment(before.text + c, before.style)
            continue
        cells[row, column] = Segment(c, style)
        if size == 2:
            cells[row, column + 1] = Segment("")
        column += size
