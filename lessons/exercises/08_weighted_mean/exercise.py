"""The position-weighted mean, forward and backward.

    y_b = Σ_t w_t · x_t        w_t = t / (1 + 2 + … + T)        t = 1 … T, T the length of sentence b

so the weights of each sentence sum to 1 (Muennighoff 2022, arXiv:2202.08904). Backward is short: every row
hears of dy_b as loudly as it spoke, dx_t = w_t · dy_b.

    weights(lengths)          (B,) -> (N,)                     for all tokens of a packed batch
    pool(x, lengths)          (N, D), (B,) -> (B, D)
    pool_backward(dy, lengths)  (B, D), (B,) -> dx (N, D)

No empty sentences here. The package: `minigpt2/layers/pooling.py`.
"""

import numpy as np


def weights(lengths: np.ndarray) -> np.ndarray:
    """(B,) -> (N,)"""
    raise NotImplementedError("your turn")


def pool(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(N, D), (B,) -> (B, D)"""
    raise NotImplementedError("your turn")


def pool_backward(dy: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(B, D), (B,) -> dx (N, D)"""
    raise NotImplementedError("your turn")
