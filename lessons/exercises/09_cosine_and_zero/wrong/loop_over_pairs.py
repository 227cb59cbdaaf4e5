# expect: is there a loop over all 3,600 pairs?
import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M, D), (N, D) -> (M, N)"""
    return np.array([[_cosine(x, y) for y in b] for x in a])


def _cosine(x: np.ndarray, y: np.ndarray) -> float:
    """(D,), (D,) -> one cosine"""
    lengths = np.linalg.norm(x) * np.linalg.norm(y)
    return float(np.clip(x @ y / lengths, -1.0, 1.0)) if lengths > 0.0 else 0.0
