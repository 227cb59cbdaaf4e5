# expect: holds only without ties
import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """(M,) -> (M,) from 1"""
    below = (values[None, :] < values[:, None]).sum(axis=1)  # (M,)
    equal = (values[None, :] == values[:, None]).sum(axis=1)  # (M,) itself among them
    return below + (equal + 1) / 2


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """(M,), (M,) -> −1 … 1"""
    x, y = ranks(a), ranks(b)
    M = len(x)
    return float(1 - 6 * ((x - y) @ (x - y)) / (M**3 - M))
