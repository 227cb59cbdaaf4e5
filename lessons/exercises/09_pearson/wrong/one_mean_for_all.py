# expect: one mean of the whole array is taken away
import numpy as np


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,)"""
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
