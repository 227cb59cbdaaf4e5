"""Points on a plane, each with its name; what the names stand for is listed.

On a terminal the list is above the map, so that the map is what stays in sight.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from . import markup, palette
from .frame import fit
from .view import DIM, Block, Canvas, Row, View, caption_rows, cut, note, padded, shown

MOST_LABELS = 40  # of the list, on a terminal
LIST_COLUMN = 64  # cells of a column of the list, at least
MOST_IN_HTML = 2000
MOST_WORDS = 18  # characters of a label inside the map; on a wide one a sixth of it
LEAST_WIDTH = 12  # cells of a map
WIDE, HIGH = 640, 420  # units of the image
SPOT = 4.5


class Scatter(View):
    """`points` (n, 2) with n `labels`; points of one group of `groups` share a colour; `marked` stand out.

    `names` (n) stand at the points, by default 1 to n; on a terminal only names of narrow characters do. A
    point that is not finite is listed and not drawn.
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
            half = 0.5 * high - 0.5 * low  # (2,); the whole could be more than a float holds
            unit[finite] = np.where(half > 0, (0.5 * inside - 0.5 * low) / np.where(half > 0, half, 1.0), 0.5)
        return unit, finite

    def draw(self, canvas: Canvas) -> Block:
        if not self.labels:
            return note("no points", canvas.width) + caption_rows(self.caption, canvas.width)
        if canvas.width < LEAST_WIDTH:
            return self._list(canvas) + caption_rows(self.caption, canvas.width)
        across = canvas.width - 2
        down = max(3, min(canvas.width // 4, canvas.height - 8, 30) - 2)
        edge = "─" * across
        block = [*self._list(canvas), [Segment(f"┌{edge}┐", DIM)]]
        for row in self._map(across, down, canvas):
            block.append([Segment("│", DIM), *row, Segment("│", DIM)])
        block.append([Segment(f"└{edge}┘", DIM)])
        return block + caption_rows(self.caption, canvas.width)

    def _map(self, across: int, down: int, canvas: Canvas) -> Block:
        """The dots and, where they touch nothing, their names and the beginnings of their labels."""
        unit, finite = self._unit()
        hues = self._hues()
        order = [i for i in sorted(range(len(hues)), key=lambda i: (i not in self.marked, i)) if finite[i]]
        text = [[" "] * across for _ in range(down)]
        style = [[Style.null()] * across for _ in range(down)]
        column = np.minimum(unit[:, 0] * across, across - 1).astype(int).tolist()
        row = np.minimum((1.0 - unit[:, 1]) * down, down - 1).astype(int).tolist()

        def free(r: int, start: int, stop: int) -> bool:
            """True if nothing stands in these cells of a row, inside the map."""
            return start >= 0 and stop <= across and all(c == " " for c in text[r][start:stop])

        def put(r: int, start: int, characters: str, look: Style) -> None:
            for at, c in enumerate(characters, start):
                text[r][at], style[r][at] = c, look

        for i in reversed(order):  # the first ones on top
            look = palette.ink(hues[i], canvas.depth, bold=i in self.marked)
            put(row[i], column[i], "★" if i in self.marked else "●", look)
        ends = {}
        for i in order[:MOST_LABELS]:
            name = self.names[i]
            if cell_len(name) != len(name):
                continue
            r, right, left = row[i], column[i] + 1, column[i] - len(name)
            look = palette.ink(hues[i], canvas.depth)
            if free(r, right, min(across, right + len(name) + 1)) and right + len(name) <= across:
                put(r, right, name, look)
                ends[i] = right + len(name)
            elif free(r, max(0, left - 1), left + len(name)) and left >= 0:
                put(r, left, name, look)
        for i, end in ends.items():
            words = cut(self.labels[i], max(MOST_WORDS, across // 6))
            stop = end + 1 + len(words)
            fits = stop <= across and free(row[i], end, min(across, stop + 1))
            if fits and cell_len(words) == len(words):  # one cell a character
                put(row[i], end + 1, words, DIM)
        return [
            [
                Segment("".join(c for c, _ in run), look)
                for look, run in _runs(zip(text[r], style[r], strict=True))
            ]
            for r in range(down)
        ]

    def _list(self, canvas: Canvas) -> Block:
        """What the names stand for, in as many columns as there is room for."""
        count = min(len(self.labels), MOST_LABELS)
        columns = max(1, canvas.width // LIST_COLUMN)
        height = -(-count // columns)
        width = canvas.width // columns - (columns > 1)
        hues = self._hues()
        block: Block = []
        for first in range(height):
            row: Row = []
            for i in range(first, count, height):
                row += self._item(i, palette.ink(hues[i], canvas.depth, bold=i in self.marked), width)
                if i + height < count:
                    row = fit(row, (width + 1) * (i // height + 1))
            block.append(row)
        if len(self.labels) > MOST_LABELS:
            block += note(f"… {len(self.labels) - MOST_LABELS:,} more", canvas.width)
        return block

    def _item(self, i: int, look: Style, width: int) -> Row:
        """A point of the list in at most `width` cells."""
        gutter = max(map(cell_len, self.names[:MOST_LABELS]))
        mark = "★" if i in self.marked else "●"
        group = f"  {self.groups[i]}" if self.groups else ""
        group = group if cell_len(group) * 3 <= width else ""
        text = cut(self.labels[i], max(0, width - gutter - 3 - cell_len(group)))
        name = padded(self.names[i], gutter, "right")
        return [Segment(f"{mark} {name} ", look), Segment(text), Segment(group, DIM)]

    def html(self) -> str:
        unit, finite = self._unit()
        hues = self._hues()
        frame = {"x": 0.5, "y": 0.5, "width": WIDE - 1, "height": HIGH - 1, "fill": "none"}
        drawn = markup.tag("rect", stroke="currentColor", stroke_opacity=0.3, **frame)
        items = ""
        for i, name in enumerate(self.labels[:MOST_IN_HTML]):
            said = f"{name} ({self.groups[i]})" if self.groups else name
            items += markup.tag("li", markup.text(f"{self.names[i]} {said}"))
            if finite[i]:
                x, y = 20 + unit[i, 0] * (WIDE - 60), HIGH - 20 - unit[i, 1] * (HIGH - 40)
                size = SPOT * (1.6 if i in self.marked else 1.0)
                at = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": size}
                colour = palette.css(palette.inks()[hues[i] % len(palette.INK_HUES)])
                drawn += markup.tag("circle", markup.tag("title", markup.plain(said)), fill=colour, **at)
                place = {"x": f"{x + size + 3:.1f}", "y": f"{y + 4:.1f}"}
                drawn += markup.tag("text", markup.plain(self.names[i]), **place)
        image = markup.svg(WIDE, HIGH, f"{len(self.labels)} points", drawn)
        legend = markup.tag("ul", items, "margin:6px 0;padding:0;list-style:none")
        left = markup.more(len(self.labels) - MOST_IN_HTML)
        return markup.figure(image + legend + left, self.caption)


def _runs(cells: Iterable[tuple[str, Style]]) -> Iterator[tuple[Style, list[tuple[str, Style]]]]:
    """Neighbours of one style together."""
    for look, run in groupby(cells, key=itemgetter(1)):
        yield look, list(run)
