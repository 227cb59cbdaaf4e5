# expect: places count from 0
import numpy as np


def mean_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    y = np.zeros((len(offsets) - 1, x.shape[1]))
    for b in range(len(y)):
        if offsets[b + 1] > offsets[b]:
            y[b] = x[offsets[b] : offsets[b + 1]].mean(axis=0)
    return y


def last_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    return x[offsets[1:]]
