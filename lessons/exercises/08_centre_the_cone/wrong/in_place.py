# expect: changes its input x

import numpy as np


def mean_cosine(x: np.ndarray) -> float:
    """(M, D) -> −1 … 1"""
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    c = x @ x.T
    return (c.sum() - len(x)) / (len(x) * (len(x) - 1))


def centre(x: np.ndarray, corpus: np.ndarray) -> np.ndarray:
    """(B, D), (M, D) -> (B, D), rows of length 1"""
    c = x - corpus.mean(0)
    n = np.linalg.norm(c, axis=1, keepdims=True)
    return c / np.where(n > 0, n, 1)
