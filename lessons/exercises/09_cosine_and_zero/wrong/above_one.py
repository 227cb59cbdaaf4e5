# expect: rounding: np.clip
import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M, D), (N, D) -> (M, N)"""
    return _unit(a) @ _unit(b).T


def _unit(x: np.ndarray) -> np.ndarray:
    """Rows of length 1, a zero row as it is: (M, D) -> (M, D)"""
    norms = np.linalg.norm(x, axis=1, keepdims=True)  # (M, 1)
    return x / np.where(norms > 0.0, norms, 1.0)
