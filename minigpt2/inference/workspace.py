"""The memory in which one thread computes one chunk, made once and used again and again."""

import numpy as np

from ..config import GPT2Config
from .chunks import RUN_PLACES

# Numbers that elementwise work takes at a time: with scratch of the same size they stay in the second-level
# cache of a core.
BLOCK = 1 << 16

# Rows that go from one attention to the next at a time: what they pass on the way stays in the cache.
PANEL_ROWS = 1024

# Columns of the MLP at a time: its wide array is the largest of all, and the cores share a cache.
WIDE_COLUMNS = 768

# Query rows of one product of attention. A causal token sees nothing after itself, so the keys after a block
# of queries are not multiplied at all.
QUERY_ROWS = 128

# Scores that are made at a time.
SCORES = 1 << 18


class Workspace:
    """Scratch arrays for chunks of up to `rows` rows and `places` places. Belongs to one thread at a time.

    Memory that a chunk does not reach is never touched, so it costs nothing to make these large enough.
    """

    def __init__(self, config: GPT2Config, rows: int, places: int) -> None:
        D, F = config.D, config.F
        self.rows, self.places = rows, places
        self.x = np.empty((rows, D), np.float32)  # the residual stream
        self.rstd = np.empty(rows, np.float32)
        self.qkv = np.empty((rows, 3 * D), np.float32)
        self.heads = np.empty((places, D), np.float32)  # what attention gives

        panel = self.panel = min(rows, PANEL_ROWS)
        self.normalised = np.empty((panel, D), np.float32)  # what a sublayer reads
        self.update = np.empty((panel, D), np.float32)  # what a sublayer adds to the stream
        self.wide_columns = even_step(F, WIDE_COLUMNS)
        self.more = np.empty((panel if self.wide_columns < F else 0, D), np.float32)  # a part of an update
        self.block, self.block_rows = BLOCK, max(1, BLOCK // D)

        # Attention and MLP never run at the same time, so they share their memory.
        of_run = max(RUN_PLACES, config.n_positions) * 3 * D
        self.gathered = self.wide = np.empty(max(of_run, panel * self.wide_columns), np.float32)
        of_scores = max(SCORES, QUERY_ROWS * config.n_positions)
        self.scores = self.gelu = np.empty(max(of_scores, BLOCK, F), np.float32)
        self.ones = np.ones(config.n_positions, np.float32)


def even_step(size: int, most: int) -> int:
    """In steps of this, at most `most`, `size` is passed in as few and as equal parts as may be."""
    return -(-size // -(-size // most))
