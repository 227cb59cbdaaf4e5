# expect: this is the plain mean

import numpy as np


def weights(lengths: np.ndarray) -> np.ndarray:
    """(B,) -> (N,)"""
    return np.concatenate([np.arange(1, t + 1) / sum(range(1, t + 1)) for t in lengths])


def pool(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(N, D), (B,) -> (B, D)"""
    y, s = [], 0
    for t in lengths:
        y.append(x[s : s + t].mean(0))
        s += t
    return np.stack(y)


def pool_backward(dy: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(B, D), (B,) -> dx (N, D)"""
    b = np.repeat(np.arange(len(lengths)), lengths)
    return np.einsum("n,nd->nd", weights(lengths), dy[b])
