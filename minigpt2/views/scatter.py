"""Points on a plane, numbered; what each number stands for is listed below."""

from collections.abc import Collection, Sequence

import numpy as np
from rich.segment import Segment

from . import markup, palette
from .view import BOLD, DIM, Block, Canvas, View, caption_rows, cut, note, shown

MOST_LABELS = 40  # of the list below, on a terminal
WIDE, HIGH = 640, 420  # units of the image
SPOT = 4.5


class Scatter(View):
    """`points` (n, 2) with n `labels`; points of one group of `groups` share a colour; `marked` stand out.

    A point that is not finite is listed and not drawn.
    """

    def __init__(
        self,
        points: np.ndarray,
        *,
        labels: Sequence[str],
        groups: Sequence[str] | None = None,
        marked: Collection[int] = (),
        caption: str = "",
    ) -> None:
        self.points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        self.labels, self.caption = [shown(label) for label in labels], caption
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
        for i in order:
            if i in places:
                row, column = places[i]
                text = str(i + 1)
                for start in (column + 1, column - len(text)):
                    span = [(row, start + k) for k in range(len(text))]
                    around = [(row, start - 1), (row, start + len(text))]
                    inside = start >= 0 and start + len(text) <= across
                    if (
                        inside
                        and not any(at in cells for at in span)
                        and not any(at in cells and at != (row, column) for at in around)
                    ):
                        for at, c in zip(span, text, strict=True):
                            cells[at] = Segment(c, palette.ink(hues[i], canvas.depth))
                        break
        edge = "─" * across
        block: Block = [[Segment(f"┌{edge}┐", DIM)]]
        for row in range(down):
            content = [cells.get((row, column), Segment(" ")) for column in range(across)]
            block.append([Segment("│", DIM), *content, Segment("│", DIM)])
        block.append([Segment(f"└{edge}┘", DIM)])
        gutter = len(str(len(self.labels)))
        for i, label in enumerate(self.labels[:MOST_LABELS]):
            style = palette.ink(hues[i], canvas.depth, bold=i in self.marked)
            text = f"{label}  ({self.groups[i]})" if self.groups else label
            block.append(
                [
                    Segment(f"{i + 1:>{gutter}} ", style),
                    Segment(cut(text, width - gutter - 1), BOLD if i in self.marked else None),
                ]
            )
        if len(self.labels) > MOST_LABELS:
            block += note(f"… {len(self.labels) - MOST_LABELS:,} more", width)
        return block + caption_rows(self.caption, width)

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
                parts.append(f'<text x="{x + 7:.1f}" y="{y + 4:.1f}">{i + 1}</text>')
            items.append(f'<li style="color:inherit">{markup.text(said)}</li>')
        image = markup.svg(WIDE, HIGH, f"{len(self.labels)} points", "".join(parts))
        return markup.figure(
            f'{image}<ol style="margin:6px 0;padding-left:3em">{"".join(items)}</ol>', self.caption
        )
