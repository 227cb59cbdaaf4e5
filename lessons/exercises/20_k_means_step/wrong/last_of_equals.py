# expect: the lower number is asked for

import numpy as np


def assign(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(M, D), (k, D) -> (M,)"""
    out = []
    for r in x:
        b, bd = 0, np.inf
        for j, c in enumerate(centres):
            d = ((r - c) ** 2).sum()
            if d <= bd:
                b, bd = j, d
        out.append(b)
    return np.array(out)


def centres_of(x: np.ndarray, groups: np.ndarray, old: np.ndarray) -> np.ndarray:
    """(M, D), (M,), (k, D) -> (k, D)"""
    return old
