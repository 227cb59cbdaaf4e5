# expect: changes its input old

import numpy as np


def assign(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(M, D), (k, D) -> (M,)"""
    return ((centres * centres).sum(1) - 2 * x @ centres.T).argmin(1)


def centres_of(x: np.ndarray, groups: np.ndarray, old: np.ndarray) -> np.ndarray:
    """(M, D), (M,), (k, D) -> (k, D)"""
    for g in range(len(old)):
        if (groups == g).any():
            old[g] = x[groups == g].mean(0)
    return old
