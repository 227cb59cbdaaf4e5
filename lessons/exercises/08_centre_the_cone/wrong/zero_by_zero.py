# expect: a row that is zero after centring stays zero
import numpy as np


def mean_cosine(x: np.ndarray) -> float:
    """(M, D) -> −1 … 1"""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)  # (M, D)
    cosines = unit @ unit.T  # (M, M)
    M = len(x)
    return float((cosines.sum() - np.trace(cosines)) / (M * (M - 1)))


def centre(x: np.ndarray, corpus: np.ndarray) -> np.ndarray:
    """(B, D), (M, D) -> (B, D), rows of length 1"""
    centred = x - corpus.mean(axis=0)  # (B, D)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)  # (B, 1)
    return centred / norms
