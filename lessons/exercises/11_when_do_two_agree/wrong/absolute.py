# expect: this is absolute
import math

import numpy as np


def relative_error(a: np.ndarray, n: np.ndarray, floor: float = 1e-10) -> float:
    """Two gradients of one shape -> 0 … 2, infinite where one holds NaN"""
    if a.shape != n.shape:
        raise ValueError(f"shapes {a.shape} and {n.shape}")
    difference = float(np.linalg.norm(a - n))
    if math.isnan(difference):
        return math.inf
    return difference


def agree(a: np.ndarray, n: np.ndarray) -> bool:
    """Is the error at most 1e-6?"""
    return relative_error(a, n) <= 1e-6
