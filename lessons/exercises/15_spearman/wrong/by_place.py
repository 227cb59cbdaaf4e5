# expect: by their place in the row
import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """(M,) -> (M,) from 1"""
    result = np.empty(len(values))
    result[np.argsort(values, kind="stable")] = np.arange(1, len(values) + 1)
    return result


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """(M,), (M,) -> −1 … 1"""
    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    length = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / length) if length > 0.0 else 0.0
