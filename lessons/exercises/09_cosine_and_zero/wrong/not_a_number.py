# expect: divide a zero row by 1 instead of by 0
import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M, D), (N, D) -> (M, N)"""
    return np.clip(_unit(a) @ _unit(b).T, -1.0, 1.0)  # (M, N)


def _unit(x: np.ndarray) -> np.ndarray:
    """Rows of length 1, a zero row as it is: (M, D) -> (M, D)"""
    norms = np.linalg.norm(x, axis=1, keepdims=True)  # (M, 1)
    return x / norms
