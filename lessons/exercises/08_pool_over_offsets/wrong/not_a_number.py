# expect: the mean of no rows is NaN
import numpy as np


def mean_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    y = np.zeros((len(offsets) - 1, x.shape[1]))  # (B, D)
    for b, (start, end) in enumerate(zip(offsets[:-1], offsets[1:], strict=True)):
        y[b] = x[start:end].sum(axis=0) / np.float64(end - start)
    return y


def last_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    y = np.zeros((len(offsets) - 1, x.shape[1]))  # (B, D)
    some = offsets[1:] > offsets[:-1]  # (B,)
    y[some] = x[offsets[1:][some] - 1]
    return y
