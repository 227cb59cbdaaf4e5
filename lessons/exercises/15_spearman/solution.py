"""Spearman's correlation, with ties: one way to do it."""

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """(M,) -> (M,) from 1"""
    below = (values[None, :] < values[:, None]).sum(axis=1)  # (M,)
    equal = (values[None, :] == values[:, None]).sum(axis=1)  # (M,) itself among them
    return below + (equal + 1) / 2


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """(M,), (M,) -> −1 … 1"""
    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    length = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / length) if length > 0.0 else 0.0
