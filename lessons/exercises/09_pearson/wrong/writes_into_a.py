# expect: changes its input a
import numpy as np


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,)"""
    a -= a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)  # (B, D)
    product = (a * b).sum(axis=1)  # (B,)
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))  # (B,)
    return np.where(lengths > 0.0, product / np.where(lengths > 0.0, lengths, 1.0), 0.0)  # (B,)
