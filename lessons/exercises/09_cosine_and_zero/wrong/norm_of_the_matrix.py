# expect: without axis is one number for the whole matrix
import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M, D), (N, D) -> (M, N)"""
    return np.clip(_unit(a) @ _unit(b).T, -1.0, 1.0)  # (M, N)


def _unit(x: np.ndarray) -> np.ndarray:
    """Rows of length 1, a zero row as it is: (M, D) -> (M, D)"""
    norms = np.linalg.norm(x)
    return x / np.where(norms > 0.0, norms, 1.0)
