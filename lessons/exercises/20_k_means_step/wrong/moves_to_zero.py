# expect: yours moves it to 0
import numpy as np


def assign(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(M, D), (k, D) -> (M,)"""
    distances = (centres * centres).sum(axis=1) - 2.0 * (x @ centres.T)  # (M, k) less ‖x‖²
    return distances.argmin(axis=1)  # (M,)


def centres_of(x: np.ndarray, groups: np.ndarray, old: np.ndarray) -> np.ndarray:
    """(M, D), (M,), (k, D) -> (k, D)"""
    new = np.zeros_like(old)
    for group in range(len(old)):
        if (groups == group).any():
            new[group] = x[groups == group].mean(axis=0)
    return new
