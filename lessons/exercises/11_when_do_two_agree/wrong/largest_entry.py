# expect: the length over all entries, not the largest entry
import numpy as np


def relative_error(a: np.ndarray, n: np.ndarray, floor: float = 1e-10) -> float:
    """Two gradients of one shape -> 0 … 2, infinite where one holds NaN"""
    return float(np.abs(a - n).max() / max(np.abs(a).max(), np.abs(n).max(), floor))


def agree(a: np.ndarray, n: np.ndarray) -> bool:
    """Is the error at most 1e-6?"""
    return relative_error(a, n) <= 1e-6
