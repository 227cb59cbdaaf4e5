# expect: puts tokens of one head side by side
import numpy as np


def split(x: np.ndarray, heads: int) -> np.ndarray:
    """(T, D) -> (H, T, K)"""
    T, D = x.shape
    return x.reshape(T, heads, D // heads).transpose(1, 0, 2)  # (H, T, K)


def merge(x: np.ndarray) -> np.ndarray:
    """(H, T, K) -> (T, D)"""
    H, T, K = x.shape
    return x.reshape(T, H * K)
