# expect: this is the cosine
import numpy as np


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,)"""
    product = (a * b).sum(axis=1)  # (B,)
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))  # (B,)
    return np.where(lengths > 0.0, product / np.where(lengths > 0.0, lengths, 1.0), 0.0)  # (B,)
