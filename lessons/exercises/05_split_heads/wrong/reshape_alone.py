# expect: without regard to rows
import numpy as np


def split(x: np.ndarray, heads: int) -> np.ndarray:
    """(T, D) -> (H, T, K)"""
    T, D = x.shape
    return x.reshape(heads, T, D // heads)


def merge(x: np.ndarray) -> np.ndarray:
    """(H, T, K) -> (T, D)"""
    H, T, K = x.shape
    return x.transpose(1, 0, 2).reshape(T, H * K)  # (T, D)
