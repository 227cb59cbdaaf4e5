"""Attention for one query: one way to do it."""

import math

import numpy as np


def attend(q: np.ndarray, keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K,), (T, K), (T, K) -> weights (T,), z (K,)"""
    scores = keys @ q / math.sqrt(len(q))  # (T,)
    e = np.exp(scores - scores.max())  # (T,)
    weights = e / e.sum()  # (T,)
    return weights, weights @ values  # (T,), (K,)
