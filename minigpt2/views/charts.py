"""Curves, histograms and bars drawn from characters: numbers in, rows of text out.

Three sets of characters, from fine to coarse: braille (2 × 4 dots in a cell), which every terminal with
Unicode draws; ASCII for one whose encoding has nothing else. A chart is a list of rows, a row a list of
`Segment`s, exactly as wide and high as asked for. Axis numbers are round (1, 2 or 5 times a power of ten).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from rich.segment import Segment
from rich.style import Style

Row = list[Segment]

AXIS = Style(dim=True)
PLAIN = Style()

# The bit of each of the 4 × 2 dots of a braille cell, as Unicode numbers them.
BRAILLE_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
EIGHTHS = " ▁▂▃▄▅▆▇█"
ASCII_EIGHTHS = " ..::==##"


class Curve(NamedTuple):
    """One line of a chart. `low` and `high` draw a band around `y`, where many values share a dot."""

    x: np.ndarray  # (n,) ascending
    y: np.ndarray  # (n,)
    style: Style
    mark: str  # what draws it in ASCII
    low: np.ndarray | None = None  # (n,)
    high: np.ndarray | None = None  # (n,)


def curves(
    lines: Sequence[Curve],
    width: int,
    height: int,
    *,
    x_end: float,
    x_label: str = "step",
    y_range: tuple[float, float] | None = None,
    may_be_log: bool = False,
    unicode: bool = True,
) -> list[Row]:
    """`height` rows of `width` cells: curves over one pair of axes, the later ones on top.

    The x axis runs from 0 to `x_end`, the y axis over `y_range` or what is drawn; with `may_be_log` it is
    logarithmic where the values are positive and span more than a factor of 30.
    """
    rows, gutter = plot(
        lines, width, height - 2, x_end=x_end, y_range=y_range, may_be_log=may_be_log, unicode=unicode
    )
    return rows + x_axis(0.0, x_end, gutter, width - gutter - 1, x_label)


def plot(
    lines: Sequence[Curve],
    width: int,
    height: int,
    *,
    x_end: float,
    y_range: tuple[float, float] | None = None,
    y_ticks: Sequence[float] | None = None,
    may_be_log: bool = False,
    unicode: bool = True,
) -> tuple[list[Row], int]:
    """The rows of `curves` above its x axis, and how many cells the numbers of the y axis take.

    `y_ticks`: these numbers on the y axis, which runs from the first to the last.
    """
    values = np.concatenate(
        [part for line in lines for part in (line.y, line.low, line.high) if part is not None]
    )
    values = values[np.isfinite(values)]
    if y_ticks is not None:
        y_range = y_ticks[0], y_ticks[-1]
    low, high, log = (*y_range, False) if y_range else _y_range(values, may_be_log)
    scale = _log_scale if log else _linear_scale
    ticks = y_ticks or (log_ticks(low, high, height) if log else round_ticks(low, high, max(2, height // 2)))
    labels = {}
    spell = tick_text(ticks)
    for tick in ticks:
        row = height - 1 - int(scale(tick, low, high) * (height - 1e-9))
        if 0 <= row < height and row not in labels:
            labels[row] = spell(tick)
    gutter = max(map(len, labels.values()), default=1)
    drawn = _raster(lines, width - gutter - 1, height, x_end, lambda y: scale(y, low, high), unicode)
    rows = []
    for row, content in enumerate(drawn):
        label = labels.get(row, "")
        rows.append([Segment(f"{label:>{gutter}}{'┤' if label else '│'}", AXIS), *content])
    return rows, gutter


def x_axis(
    low: float, high: float, gutter: int, cells: int, label: str, mark: float | None = None
) -> list[Row]:
    """Two rows: the line with a tick above each number, and the numbers with `label` at the right end.

    `mark` is a place on the axis to point at.
    """
    ticks = round_ticks(low, high, max(2, cells // 9))
    if label == "step":
        ticks = [tick for tick in ticks if float(tick).is_integer()]
    spell = tick_text(ticks)
    line, numbers = ["─"] * cells, [" "] * (gutter + 1 + cells)
    free_from = 0  # the first cell that no number has taken
    reserved = len(numbers) - len(label) - 1 if label else len(numbers)
    for tick in ticks:
        at = min(cells - 1, int((tick - low) / (high - low) * cells)) if high > low else 0
        text = spell(tick)
        start = max(0, min(gutter + 1 + at - len(text) // 2, len(numbers) - len(text)))
        if start < free_from or start + len(text) > reserved:
            continue
        line[at] = "┬"
        numbers[start : start + len(text)] = text
        free_from = start + len(text) + 1
    if label:
        numbers[len(numbers) - len(label) :] = label
    corner = " " * gutter + "└"
    if mark is not None and low <= mark <= high:
        at = min(cells - 1, int((mark - low) / (high - low) * cells))
        before, after = corner + "".join(line[:at]), "".join(line[at + 1 :])
        axis = [Segment(before, AXIS), Segment("▲", Style(bold=True)), Segment(after, AXIS)]
    else:
        axis = [Segment(corner + "".join(line), AXIS)]
    return [axis, [Segment("".join(numbers), AXIS)]]


def _raster(
    lines: Sequence[Curve],
    cells: int,
    rows: int,
    x_end: float,
    share: Callable[[np.ndarray], np.ndarray],
    unicode: bool,
) -> list[Row]:
    """The curves as characters. `share` maps y to 0 … 1 over the height."""
    across, down = (2, 4) if unicode else (1, 1)
    wide, high = cells * across, rows * down
    owner = np.full((rows, cells), -1)  # which curve has a cell: the last one that comes there
    bits = np.zeros((rows, cells), dtype=np.int64)
    for number, line in enumerate(lines):
        dots = _dots(line, wide, high, x_end, share)  # (high, wide) bool
        mine = np.zeros((rows, cells), dtype=np.int64)
        for i in range(down):
            for j in range(across):
                part = dots[i::down, j::across]  # (rows, cells)
                mine |= np.where(part, int(BRAILLE_BITS[i, j]), 0)
        bits = np.where(mine > 0, mine, bits)
        owner[mine > 0] = number
    drawn = []
    for row in range(rows):
        content: Row = []
        text, before = [], -2
        for cell in range(cells):
            who = int(owner[row, cell])
            if who != before and text:
                content.append(Segment("".join(text), lines[before].style if before >= 0 else PLAIN))
                text = []
            before = who
            if who < 0:
                text.append(" ")
            else:
                text.append(chr(0x2800 + int(bits[row, cell])) if unicode else lines[who].mark)
        content.append(Segment("".join(text), lines[before].style if before >= 0 else PLAIN))
        drawn.append(content)
    return drawn


def _dots(
    line: Curve, wide: int, high: int, x_end: float, share: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """(high, wide) bool: which dots a curve covers, connected from column to column."""
    dots = np.zeros((high, wide), dtype=bool)
    finite = np.isfinite(line.y)
    x, y = line.x[finite], line.y[finite]
    if not len(x):
        return dots
    place = np.minimum(x / max(x_end, 1e-12) * wide, wide - 1).astype(int)  # (n,)
    if line.low is not None and line.high is not None:
        bottoms, tops = line.low[finite], line.high[finite]
        columns = np.unique(place)
        start = np.searchsorted(place, columns)
        bottom = np.minimum.reduceat(bottoms, start)
        top = np.maximum.reduceat(tops, start)
    else:
        columns = np.arange(place[0], place[-1] + 1)
        centres = (columns + 0.5) / wide * x_end
        bottom = top = np.interp(centres, x, y)
    from_below = np.clip((share(bottom) * high).astype(int), 0, high - 1)
    to_above = np.clip((share(top) * high).astype(int), 0, high - 1)
    if line.low is None and len(columns) > 1:  # reach half way to the neighbours
        level = from_below
        middle = (level[:-1] + level[1:]) // 2
        from_below = level.copy()
        to_above = level.copy()
        from_below[:-1] = np.minimum(from_below[:-1], middle)
        from_below[1:] = np.minimum(from_below[1:], middle)
        to_above[:-1] = np.maximum(to_above[:-1], middle)
        to_above[1:] = np.maximum(to_above[1:], middle)
    levels = np.arange(high)[::-1, None]  # (high, 1) counted from below
    dots[:, columns] = (levels >= from_below) & (levels <= to_above)
    return dots


def bars(values: np.ndarray, height: int, style: Style, *, unicode: bool = True) -> list[Row]:
    """(n,) shares of 0 … 1 -> `height` rows of n cells: a histogram that grows upwards in eighths of a cell.

    A value above zero shows at least one eighth, so that a rare case is seen.
    """
    glyphs = EIGHTHS if unicode else ASCII_EIGHTHS
    eighths = np.where(values > 0, np.maximum(1, np.round(values * height * 8)), 0).astype(int)
    rows = []
    for row in range(height):
        floor = (height - 1 - row) * 8
        rows.append([Segment("".join(glyphs[min(8, max(0, e - floor))] for e in eighths), style)])
    return rows


def sparkline(values: np.ndarray, width: int, *, unicode: bool = True) -> str:
    """The last values as one row of bars between their smallest and largest; `width` cells or fewer."""
    values = values[np.isfinite(values)]
    if not len(values) or width < 1:
        return ""
    if len(values) > width:
        edges = np.linspace(0, len(values), width + 1).astype(int)[:-1]
        values = np.add.reduceat(values, edges) / np.diff([*edges, len(values)])
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    glyphs = EIGHTHS if unicode else ASCII_EIGHTHS
    return "".join(glyphs[1 + int(s * 7)] for s in share)


def progress_bar(share: float, width: int, *, unicode: bool = True) -> tuple[str, str]:
    """The done and the remaining part of a bar of `width` cells."""
    done = min(width, max(0, int(share * width)))
    full, rest = ("━", "╌") if unicode else ("=", "-")
    return full * done, rest * (width - done)


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most about `most` round numbers inside low … high, evenly spaced."""
    if not high > low:
        return [low]
    step = round_step(low, high, most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def round_step(low: float, high: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten with at most `most` steps in low … high; low < high."""
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten inside low … high, and where these are few also 2 and 5 times them."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1.0, 2.0, 5.0), (1.0,)):
        ticks = [f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high]
        if len(ticks) <= max(2, most):
            return ticks
    return ticks[:: math.ceil(len(ticks) / max(1, most))]


def tick_text(ticks: Sequence[float]) -> Callable[[float], str]:
    """How to write these numbers: as many decimals as they differ in, thousands as k, tiny ones as 1e-5."""
    largest = max(map(abs, ticks), default=0.0)
    if largest >= 1e9:
        return lambda t: f"{t:.1e}".replace("e+", "e") if t else "0"
    if largest >= 10_000 and all(float(t).is_integer() for t in ticks):
        for unit, size in (("M", 1e6), ("k", 1e3)):
            if largest >= size:
                decimals = _decimals([t / size for t in ticks])
                return lambda t: f"{t / size:.{decimals}f}{unit}" if t else "0"
    if 0 < largest < 1e-2:
        return lambda t: f"{t:.0e}".replace("e-0", "e-") if t else "0"
    decimals = _decimals(ticks)
    return lambda t: f"{t:,.{decimals}f}"


def _decimals(ticks: Sequence[float]) -> int:
    return next((d for d in range(5) if all(abs(round(t, d) - t) < 1e-9 for t in ticks)), 5)


def _y_range(values: np.ndarray, may_be_log: bool) -> tuple[float, float, bool]:
    """Low and high end of the y axis, and whether it is logarithmic."""
    if not len(values):
        return 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    if may_be_log and low > 0 and high / low > 30:
        return low / 1.05, high * 1.05, True
    if high - low < 1e-9 * max(1.0, abs(high)):
        room = 0.1 * abs(high) or 0.5
        return low - room, high + room, False
    room = 0.05 * (high - low)
    return (0.0 if low >= 0 and low < 0.35 * high else low - room), high + room, False


def _linear_scale(y: np.ndarray, low: float, high: float) -> np.ndarray:
    return (np.asarray(y) - low) / (high - low)


def _log_scale(y: np.ndarray, low: float, high: float) -> np.ndarray:
    return (np.log(np.maximum(y, low)) - math.log(low)) / (math.log(high) - math.log(low))
