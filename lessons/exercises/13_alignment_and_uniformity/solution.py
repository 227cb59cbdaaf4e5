"""Close pairs, spread texts: one way to do it."""

import numpy as np


def alignment(a: np.ndarray, b: np.ndarray) -> float:
    """(M, D), (M, D), rows of length 1"""
    return float(((a - b) * (a - b)).sum(axis=1).mean())


def uniformity(x: np.ndarray) -> float:
    """(M, D), rows of length 1"""
    squared = 2.0 - 2.0 * (x @ x.T)  # (M, M)
    different = ~np.eye(len(x), dtype=bool)  # (M, M)
    return float(np.log(np.exp(-2.0 * squared[different]).mean()))
