# expect: np.add.reduceat gives a sentence without tokens the row after it

import numpy as np


def mean_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    L = np.diff(offsets)
    return np.add.reduceat(x, np.minimum(offsets[:-1], len(x) - 1), axis=0) / np.maximum(L, 1)[:, None]


def last_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    return np.array([x[b - 1] if b > a else 0 * x[0] for a, b in zip(offsets, offsets[1:], strict=False)])
