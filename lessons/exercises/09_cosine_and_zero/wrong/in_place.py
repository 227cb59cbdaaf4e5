# expect: changes its input a

import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M, D), (N, D) -> (M, N)"""
    a /= np.where((n := np.linalg.norm(a, axis=1, keepdims=True)) > 0, n, 1)
    b /= np.where((n := np.linalg.norm(b, axis=1, keepdims=True)) > 0, n, 1)
    return np.clip(a @ b.T, -1, 1)
