"""Later tokens count for more: one way to do it."""

import numpy as np


def weights(lengths: np.ndarray) -> np.ndarray:
    """(B,) -> (N,)"""
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)  # (N,)
    t = np.arange(len(starts)) - starts + 1  # (N,)
    T = np.repeat(lengths, lengths)  # (N,)
    return t / (T * (T + 1) / 2)  # (N,)


def pool(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(N, D), (B,) -> (B, D)"""
    starts = np.cumsum(lengths) - lengths  # (B,)
    return np.add.reduceat(x * weights(lengths)[:, None], starts, axis=0)  # (B, D)


def pool_backward(dy: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(B, D), (B,) -> dx (N, D)"""
    return np.repeat(dy, lengths, axis=0) * weights(lengths)[:, None]  # (N, D)
