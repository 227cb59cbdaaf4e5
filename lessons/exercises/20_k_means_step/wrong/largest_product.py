# expect: long centres win
import numpy as np


def assign(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(M, D), (k, D) -> (M,)"""
    return (x @ centres.T).argmax(axis=1)


def centres_of(x: np.ndarray, groups: np.ndarray, old: np.ndarray) -> np.ndarray:
    """(M, D), (M,), (k, D) -> (k, D)"""
    new = old.copy()  # (k, D)
    for group in range(len(old)):
        if (groups == group).any():
            new[group] = x[groups == group].mean(axis=0)
    return new
