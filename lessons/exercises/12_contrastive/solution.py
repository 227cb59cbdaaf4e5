"""Pull together, push apart, up to a margin: one way to do it."""

import numpy as np


def contrastive(a: np.ndarray, b: np.ndarray, y: np.ndarray, margin: float = 0.5) -> float:
    """(M, D), (M, D), (M,) -> the mean loss"""
    d = 1.0 - (a * b).sum(axis=1)  # (M,)
    near = np.maximum(0.0, margin - d)  # (M,)
    return float(0.5 * (y * d * d + (1 - y) * near * near).mean())


def slope(a: np.ndarray, b: np.ndarray, y: np.ndarray, margin: float = 0.5) -> np.ndarray:
    """(M, D), (M, D), (M,) -> (M,)"""
    d = 1.0 - (a * b).sum(axis=1)  # (M,)
    near = np.maximum(0.0, margin - d)  # (M,)
    return -(y * d - (1 - y) * near) / len(y)  # (M,)
