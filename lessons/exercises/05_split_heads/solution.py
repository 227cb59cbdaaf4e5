"""Split a row into heads, and merge it again: one way to do it."""

import numpy as np


def split(x: np.ndarray, heads: int) -> np.ndarray:
    """(T, D) -> (H, T, K)"""
    T, D = x.shape
    return x.reshape(T, heads, D // heads).transpose(1, 0, 2)  # (H, T, K)


def merge(x: np.ndarray) -> np.ndarray:
    """(H, T, K) -> (T, D)"""
    H, T, K = x.shape
    return x.transpose(1, 0, 2).reshape(T, H * K)  # (T, D)
