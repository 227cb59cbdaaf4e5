# expect: a row of equal numbers has length 0 after centring
import numpy as np


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,)"""
    a = a - a.mean(axis=1, keepdims=True)  # (B, D)
    b = b - b.mean(axis=1, keepdims=True)  # (B, D)
    product = (a * b).sum(axis=1)  # (B,)
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))  # (B,)
    return product / lengths
