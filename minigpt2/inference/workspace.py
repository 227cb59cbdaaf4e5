"""The memory in which one thread computes one chunk, made once and used again and again."""

import itertools
import math

import numpy as np

from ..config import GPT2Config
from ..kernels.buffers import ALIGNMENT
from .chunks import RUN_PLACES

# Numbers that elementwise work takes at a time: with scratch of the same size they fill a second-level cache
# of 1 MB. Each array operation needs the interpreter, of which two threads have one: better few large ones.
BLOCK = 1 << 17

# Rows that go from one attention to the next at a time, where a block's weights take at most SMALL_BLOCK
# bytes and stay in the last cache; a usual chunk has two such panels. Larger weights come from memory each
# time: all rows share them.
PANEL_ROWS = 1280
SMALL_BLOCK = 8 << 20

# At most so many queries in one product of attention; in short sentences fewer, see attention.py.
QUERY_ROWS = 112

# Scores that are made at a time.
SCORES = 1 << 18


class Workspace:
    """Scratch arrays for chunks of up to `rows` rows and `places` places. Belongs to one thread at a time.

    Memory that a chunk does not reach is never touched, so it costs nothing to make these large enough.
    """

    def __init__(self, config: GPT2Config, rows: int, places: int) -> None:
        D, F = config.D, config.F
        self.rows, self.places = rows, places
        self.x = aligned((rows, D))  # the residual stream
        self.rstd = aligned(rows)
        self.qkv = aligned((rows, 3 * D))
        self.heads = aligned((places, D))  # what attention gives

        small = 4 * (4 * D * D + 2 * D * F) <= SMALL_BLOCK
        panel = self.panel = min(rows, PANEL_ROWS) if small else rows
        # Attention gathers q, k and v of one run in memory where at other times lies what a sublayer reads.
        self.gathered = aligned(max(3 * RUN_PLACES, 3 * config.n_positions, panel) * D)
        self.normalised = self.gathered[: panel * D].reshape(panel, D)
        # Half of the MLP's columns at a time, and 2·D at most: they fit into q, k and v beside an update.
        self.wide_columns = even_step(F, min(2 * D, -(-F // 2)))
        self.more = aligned((panel if 2 * self.wide_columns < F else 0, D))  # a part of an update
        self.block, self.block_rows = BLOCK, max(1, BLOCK // D)

        of_scores = max(SCORES, QUERY_ROWS * config.n_positions)
        self.scores = self.gelu = aligned(max(of_scores, BLOCK, F))
        self.ones = aligned(config.n_positions)
        self.ones[:] = 1.0


def even_step(size: int, most: int) -> int:
    """In steps of this, at most `most`, `size` is passed in as few and as equal parts as may be."""
    return -(-size // -(-size // most))


def even_panels(N: int, most: int) -> list[slice]:
    """The rows 0 … N−1 in the fewest runs of at most `most`, nearly equal"""
    count = -(-N // most)
    edges = [i * N // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def aligned(shape: int | tuple[int, ...]) -> np.ndarray:
    """Uninitialised float32 numbers, the first at the beginning of a cache line.

    NumPy promises 16 bytes only; where an array begins in the middle of a line, every vector of 64 bytes, the
    widest that processors have, lies in two.
    """
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    memory = np.empty(size + ALIGNMENT // 4, np.float32)
    start = -memory.ctypes.data % ALIGNMENT // 4
    return memory[start : start + size].reshape(shape)
