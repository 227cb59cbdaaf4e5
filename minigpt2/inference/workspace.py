"""The memory in which one thread computes one chunk, made once and used again and again."""

import numpy as np

from ..config import GPT2Config

# Numbers that elementwise work takes at a time: with scratch of the same size they stay in the second-level
# cache of a core.
BLOCK = 1 << 16

# Tokens that go through the MLP at a time: its wide array is the largest of all.
MLP_ROWS = 1024

# Query rows of one product of attention. A causal token sees nothing after itself, so the keys after a block
# of queries are not multiplied at all.
QUERY_ROWS = 128

# Scores that are made at a time.
SCORES = 1 << 18


class Workspace:
    """Scratch arrays for chunks of up to `tokens` tokens. Belongs to one thread at a time.

    Memory that a chunk does not reach is never touched, so it costs nothing to make these large enough.
    """

    def __init__(self, config: GPT2Config, tokens: int) -> None:
        D, F = config.D, config.F
        self.tokens = tokens
        self.block_rows = max(1, BLOCK // D)
        self.mlp_rows = min(tokens, MLP_ROWS)
        self.x = np.empty((tokens, D), np.float32)  # the residual stream
        self.normalised = np.empty((tokens, D), np.float32)  # what a sublayer reads, then what heads gather
        self.update = np.empty((tokens, D), np.float32)  # what a sublayer adds to the stream
        self.qkv = np.empty((tokens, 3 * D), np.float32)
        self.wide = np.empty((self.mlp_rows, F), np.float32)
        self.gelu = np.empty(max(BLOCK, F), np.float32)
        self.rstd = np.empty(tokens, np.float32)
        self.ones = np.ones(config.n_positions, np.float32)
        self.scores = np.empty(max(SCORES, QUERY_ROWS * config.n_positions), np.float32)
