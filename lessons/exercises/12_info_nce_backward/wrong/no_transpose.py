# expect: b_j meets column j
import numpy as np


def info_nce_gradient(a: np.ndarray, b: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """(M, D), (M, D) -> da (M, D), db (M, D)"""
    M = len(a)
    scores = a @ b.T / temperature  # (M, M)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))  # (M, M)
    dscores = (e / e.sum(axis=1, keepdims=True) - np.eye(M)) / M / temperature  # (M, M)
    return dscores @ b, dscores @ a
