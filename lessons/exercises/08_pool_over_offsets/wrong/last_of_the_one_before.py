# expect: takes the last row of the one before it
import numpy as np


def mean_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    y = np.zeros((len(offsets) - 1, x.shape[1]))  # (B, D)
    for b, (start, end) in enumerate(zip(offsets[:-1], offsets[1:], strict=True)):
        if end > start:
            y[b] = x[start:end].mean(axis=0)
    return y


def last_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    return x[offsets[1:] - 1]
