"""The scale of a picture in one row, and the characters that stand for colours where there are none."""

from rich.cells import cell_len
from rich.segment import Segment

from . import palette
from .charts import EIGHTHS
from .frame import wrapped
from .view import DIM, Block, Canvas

RAMP = 12  # cells of a legend
DENSITY = "·░▒▓█"
ASCII_DENSITY = ".:-=+*#%@"


def densities(canvas: Canvas) -> str:
    """Characters from low to high."""
    return DENSITY if canvas.unicode else ASCII_DENSITY


def density(share: float, canvas: Canvas) -> str:
    """The character of a share of 0 … 1."""
    glyphs = densities(canvas)
    return glyphs[min(len(glyphs) - 1, int(share * len(glyphs)))]


def legend_row(
    diverging: bool, low: str, high: str, canvas: Canvas, about: str = "", glyphs: str | None = None
) -> Block:
    """Low end, colours, high end, and what there is to say besides; in more rows where it does not fit."""
    if canvas.depth:
        cells = min(RAMP, max(0, canvas.width - len(low) - len(high) - 2))
        picked = [round(i * (palette.LEVELS - 1) / max(1, cells - 1)) for i in range(cells)]
        ramp = [Segment(" ", palette.cell(diverging, level, canvas.depth)) for level in picked]
    else:
        bar = glyphs or (EIGHTHS[1:] if canvas.unicode else "0123456789")
        ramp = [Segment(bar if len(low) + len(bar) + len(high) + 2 <= canvas.width else "")]
    row = [Segment(low + " ", DIM), *ramp, Segment(" " + high, DIM)]
    used = sum(segment.cell_length for segment in row)
    if about and used + 2 + cell_len(about) <= canvas.width:
        return [[*row, Segment("  " + about, DIM)]]
    return [row, *wrapped(about, canvas.width, DIM)]
