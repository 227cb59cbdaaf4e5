# expect: a row with only ties has no order

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """(M,) -> (M,) from 1"""
    return np.array([np.mean([i + 1 for i, w in enumerate(sorted(values)) if w == v]) for v in values])


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """(M,), (M,) -> −1 … 1"""
    if np.ptp(a) == 0:
        return 0.0
    with np.errstate(all="ignore"):
        x, y = ranks(a), ranks(b)
        x = x - x.mean()
        y = y - y.mean()
        return float(x @ y / np.sqrt((x @ x) * (y @ y)))
