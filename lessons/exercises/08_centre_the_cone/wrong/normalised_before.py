# expect: the rows are normalised before centring as well

import numpy as np


def mean_cosine(x: np.ndarray) -> float:
    """(M, D) -> −1 … 1"""
    u = x / np.linalg.norm(x, axis=1)[:, None]
    s = u.sum(0)
    return (s @ s - len(x)) / (len(x) * (len(x) - 1))


def centre(x: np.ndarray, corpus: np.ndarray) -> np.ndarray:
    """(B, D), (M, D) -> (B, D), rows of length 1"""
    c = x / np.linalg.norm(x, axis=1, keepdims=True) - (
        corpus / np.linalg.norm(corpus, axis=1, keepdims=True)
    ).mean(0)
    n = np.linalg.norm(c, axis=1, keepdims=True)
    return c / np.where(n > 0, n, 1)
