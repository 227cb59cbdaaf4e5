# expect: gradients that differ by 1.2e-6 of their size agree

import numpy as np


def relative_error(a: np.ndarray, n: np.ndarray, floor: float = 1e-10) -> float:
    """Two gradients of one shape -> 0 … 2, infinite where one holds NaN"""
    if np.shape(a) != np.shape(n):
        raise ValueError("shapes")
    e = np.sqrt(((a - n) ** 2).sum()) / np.max([np.sqrt((a * a).sum()), np.sqrt((n * n).sum()), floor])
    return np.inf if np.isnan(e) else e


def agree(a: np.ndarray, n: np.ndarray) -> bool:
    """Is the error at most 1e-6?"""
    return np.allclose(a, n)
