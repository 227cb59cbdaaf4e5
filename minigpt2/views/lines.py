"""Several series over the same places, such as layers: lines of dots, each with its colour and name."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment

from . import charts, markup, palette
from .numbers import number
from .view import DIM, Block, Canvas, Row, View, caption_rows, cut, note, padded, shown

LARGEST = 1e307  # beyond it the ends of the axis would be too far apart for a float
LEAST_WIDTH = 20  # cells of a chart with axes
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
        values = np.clip(values, -LARGEST, LARGEST)
        least, most = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        room = 0.05 * (most - least) or 0.1 * abs(most) or 0.5
        self.low = least - room if low is None else float(low)
        self.high = most + room if high is None else float(high)
        self.high = max(self.high, self.low + 1e-9 * max(1.0, abs(self.low)))
        self._reach = max(self.low, least), min(self.high, most)  # what an axis of round numbers must hold
        if not self._reach[1] - self._reach[0] > 1e-6 * room:
            self._reach = self.low, self.high
        for name, y in self.series.items():
            self.series[name] = np.where(np.isfinite(y), np.clip(y, self.low, self.high), np.nan)

    def draw(self, canvas: Canvas) -> Block:
        if not self.series or not self.x:
            return note("no values", canvas.width) + caption_rows(self.caption, canvas.width)
        rows: Block = [[Segment(cut(self.y_label, canvas.width), DIM)]] if self.y_label else []
        if canvas.width < LEAST_WIDTH:
            for i, (name, y) in enumerate(self.series.items()):
                line = charts.sparkline(y, canvas.width, unicode=canvas.unicode)
                rows += [[Segment(cut(name, canvas.width))], [Segment(line, palette.ink(i, canvas.depth))]]
            return rows + caption_rows(self.caption, canvas.width)
        height = max(4, min(14, canvas.height // 2, canvas.width // 4))
        n = len(self.x)
        ticks, height = _round_axis(*self._reach, height)
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
            y_ticks=ticks,
            unicode=self._is_fine(canvas),
        )
        rows += body + _label_axis(self.x, gutter, canvas.width - gutter - 1)
        rows += self._legend(canvas)
        return rows + caption_rows(self.caption, canvas.width)

    def _is_fine(self, canvas: Canvas) -> bool:
        """True if lines are dots of braille; several without colours need marks to be told apart."""
        return canvas.unicode and (canvas.depth > 0 or len(self.series) == 1)

    def _legend(self, canvas: Canvas) -> Block:
        rows: Block = [[]]
        used = 0
        for i, name in enumerate(self.series):
            mark = "━━" if self._is_fine(canvas) else MARKS[i % len(MARKS)] * 2
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

        ticks = charts.round_ticks(self.low, self.high, 5)
        spell = charts.tick_text(ticks)
        grid = legend = drawn = ""
        for tick in ticks:
            y = f"{place(0, tick)[1]:.1f}"
            grid += markup.tag(
                "path", d=f"M{left} {y}H{WIDE - right}", stroke="currentColor", stroke_opacity=0.2
            )
            grid += markup.tag("text", spell(tick), x=left - 6, y=y, dy=4, text_anchor="end")
        every = max(1, -(-n * 7 * max(map(len, self.x), default=1) // plot_wide))
        for i in range(0, len(self.x), every):
            x = f"{place(i, self.low)[0]:.1f}"
            grid += markup.tag("text", markup.plain(self.x[i]), x=x, y=HIGH - 10, text_anchor="middle")
        for order, (name, values) in enumerate(self.series.items()):
            colour = palette.css(palette.inks()[order % len(palette.INK_HUES)])
            points = {i: place(i, float(v)) for i, v in enumerate(values[: len(self.x)]) if np.isfinite(v)}
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points.values())
            drawn += markup.tag("polyline", points=path, fill="none", stroke=colour, stroke_width=2)
            for i, (x, y) in points.items():
                said = markup.tag("title", markup.plain(f"{name}, {self.x[i]}: {number(values[i])}"))
                drawn += markup.tag("circle", said, cx=f"{x:.1f}", cy=f"{y:.1f}", r=3, fill=colour)
            mark = f"display:inline-block;width:1.4em;height:3px;vertical-align:middle;background:{colour}"
            line = markup.tag("span", "", mark, aria_hidden="true")
            legend += markup.tag("span", f"{line} {markup.text(name)}", "margin-right:14px")
        label = f"{', '.join(self.series)} over {', '.join(self.x)}"
        image = markup.svg(WIDE, HIGH, label, grid + drawn)
        return markup.figure(
            markup.quiet(markup.text(self.y_label)) + image + markup.tag("div", legend), self.caption
        )


def _round_axis(low: float, high: float, most: int) -> tuple[list[float], int]:
    """Round numbers of which the first and last are the ends of a y axis, and rows, at most `most`.

    The numbers stand at equal distances, two rows apart or more where there is room for that.
    """
    for least in (2, 1):
        for count in range(max(2, most // 2), 0, -1):
            step = charts.round_step(low, high, count)
            first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
            apart = (most - 1) // (last - first)
            if apart >= least:
                return [i * step for i in range(first, last + 1)], apart * (last - first) + 1
    raise AssertionError("two steps have room in four rows")


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
