"""Several series over the same places, such as layers: lines of braille dots, each with its colour and name."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import charts, markup, palette
from .numbers import number
from .view import DIM, Block, Canvas, Row, View, caption_rows, note, padded, shown

MARKS = "*o+x#%"  # of the series in ASCII
WIDE, HIGH = 640, 240  # units of the image


class Lines(View):
    """`series` name -> (n,) over the n labels `x`; NaN and infinities are left out of a line.

    The y axis runs from `low` to `high`, by default as far as the values reach; `y_label` stands above it.
    """

    def __init__(
        self,
        series: Mapping[str, np.ndarray],
        *,
        x: Sequence[str],
        caption: str = "",
        y_label: str = "",
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        self.series = {shown(name): np.asarray(y, dtype=np.float64) for name, y in series.items()}
        self.x, self.caption, self.y_label = [shown(label) for label in x], caption, shown(y_label)
        values = np.concatenate([*self.series.values(), np.zeros(0)])
        values = values[np.isfinite(values)]
        least, most = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        room = 0.05 * (most - least) or 0.1 * abs(most) or 0.5
        self.low = least - room if low is None else float(low)
        self.high = max(self.low + 1e-9, most + room if high is None else float(high))

    def draw(self, canvas: Canvas) -> Block:
        if not self.series or not self.x:
            return note("no values", canvas.width) + caption_rows(self.caption, canvas.width)
        rows: Block = [[Segment(self.y_label, DIM)]] if self.y_label else []
        height = max(4, min(14, canvas.height // 2, canvas.width // 4))
        n = len(self.x)
        curves = [
            charts.Curve(
                np.arange(n, dtype=float) + 0.5, y, palette.ink(i, canvas.depth), MARKS[i % len(MARKS)]
            )
            for i, y in enumerate(self.series.values())
        ]
        body, gutter = charts.plot(
            curves,
            canvas.width,
            height,
            x_end=float(n),
            y_range=(self.low, self.high),
            unicode=canvas.unicode,
        )
        rows += body + _label_axis(self.x, gutter, canvas.width - gutter - 1)
        rows += self._legend(canvas)
        return rows + caption_rows(self.caption, canvas.width)

    def _legend(self, canvas: Canvas) -> Block:
        rows: Block = [[]]
        used = 0
        for i, name in enumerate(self.series):
            mark = "━━" if canvas.unicode else MARKS[i % len(MARKS)] * 2
            text = padded(name, min(cell_len(name), canvas.width - 4))
            width = 3 + cell_len(text)
            if used and used + 3 + width > canvas.width:
                rows.append([])
                used = 0
            gap = [Segment("   ")] if used else []
            rows[-1] += [*gap, Segment(mark + " ", palette.ink(i, canvas.depth)), Segment(text)]
            used += width + (3 if used else 0)
        return rows

    def html(self) -> str:
        left, top, right, bottom = 56, 12, 12, 30
        plot_wide, plot_high = WIDE - left - right, HIGH - top - bottom
        n = max(1, len(self.x))

        def place(i: float, value: float) -> tuple[float, float]:
            share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
            return left + (i + 0.5) / n * plot_wide, top + (1.0 - share) * plot_high

        parts = []
        ticks = charts.round_ticks(self.low, self.high, 5)
        spell = charts.tick_text(ticks)
        for tick in ticks:
            y = place(0, tick)[1]
            parts.append(
                f'<path d="M{left} {y:.1f}H{WIDE - right}" stroke="currentColor" stroke-opacity=".18"/>'
            )
            parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{spell(tick)}</text>')
        every = -(-n * 7 * max(map(len, self.x), default=1) // plot_wide)
        for i in range(0, len(self.x), max(1, every)):
            parts.append(
                f'<text x="{place(i, self.low)[0]:.1f}" y="{HIGH - 10}" text-anchor="middle">{markup.text_in_svg(self.x[i])}</text>'
            )
        legend = []
        for number_of, (name, y) in enumerate(self.series.items()):
            colour = palette.css(palette.inks()[number_of % len(palette.INK_HUES)])
            points = [(i, float(v)) for i, v in enumerate(y[: len(self.x)]) if np.isfinite(v)]
            path = " ".join("{:.1f},{:.1f}".format(*place(i, v)) for i, v in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            for i, v in points:
                x_at, y_at = place(i, v)
                said = markup.text_in_svg(f"{name}, {self.x[i]}: {number(v)}")
                parts.append(
                    f'<circle cx="{x_at:.1f}" cy="{y_at:.1f}" r="3" fill="{colour}"><title>{said}</title></circle>'
                )
            mark = f'<span aria-hidden="true" style="display:inline-block;width:1.4em;height:3px;vertical-align:middle;background:{colour}"></span>'
            legend.append(f'<span style="margin-right:14px">{mark} {markup.text(name)}</span>')
        label = f"{', '.join(self.series)} over {', '.join(self.x)}"
        head = f'<div style="{markup.QUIET}">{markup.text(self.y_label)}</div>' if self.y_label else ""
        image = markup.svg(WIDE, HIGH, label, "".join(parts))
        return markup.figure(f"{head}{image}<div>{''.join(legend)}</div>", self.caption)


def _label_axis(labels: Sequence[str], gutter: int, cells: int) -> list[Row]:
    """Two rows: the axis with a tick above each label, and the labels that do not touch each other."""
    n = len(labels)
    line, text, free_from = ["─"] * cells, "", 0
    for i, label in enumerate(labels):
        at = min(cells - 1, int((i + 0.5) / n * cells))
        width = cell_len(label)
        start = max(0, min(at - width // 2, cells - width))
        if start < free_from or width > cells:
            continue
        line[at] = "┬"
        text += " " * (start - cell_len(text)) + label
        free_from = start + width + 1
    corner = " " * gutter + "└"
    return [[Segment(corner + "".join(line), DIM)], [Segment(" " * (gutter + 1) + text, DIM)]]
