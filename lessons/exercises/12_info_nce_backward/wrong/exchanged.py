# expect: da and db are exchanged

import numpy as np


def info_nce_gradient(a: np.ndarray, b: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """(M, D), (M, D) -> da (M, D), db (M, D)"""
    s = a @ b.T / temperature
    e = np.exp(s - s.max(1, keepdims=True))
    d = (e / e.sum(1, keepdims=True) - np.eye(len(a))) / len(a) / temperature
    return d.T @ a, d @ b
