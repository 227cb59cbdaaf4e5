# expect: but NumPy warns

import numpy as np


def counts(texts: list[list[int]], V: int, window: int) -> np.ndarray:
    """M lists of ids from 0 to V−1 -> C (V, V)"""
    C = np.zeros((V, V), int)
    for t in texts:
        t = np.array(t)
        for d in range(1, window + 1):
            if len(t) > d:
                np.add.at(C, (t[:-d], t[d:]), 1)
    return C + C.T


def ppmi(C: np.ndarray) -> np.ndarray:
    """(V, V) -> (V, V)"""
    s = C.sum(0)
    return np.nan_to_num(np.maximum(np.log(C * C.sum() / np.outer(s, s)), 0), posinf=0)


def vectors(P: np.ndarray, D: int) -> np.ndarray:
    """(V, V) -> (V, D)"""
    return P
