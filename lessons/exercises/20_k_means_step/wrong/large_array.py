# expect: there is an (M, k, D) array
import numpy as np


def assign(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(M, D), (k, D) -> (M,)"""
    distances = ((x[:, None] - centres) ** 2).sum(axis=2)
    return distances.argmin(axis=1)  # (M,)


def centres_of(x: np.ndarray, groups: np.ndarray, old: np.ndarray) -> np.ndarray:
    """(M, D), (M,), (k, D) -> (k, D)"""
    new = old.copy()  # (k, D)
    for group in range(len(old)):
        if (groups == group).any():
            new[group] = x[groups == group].mean(axis=0)
    return new
