"""Fold constants into the weights: one way to do it."""

import math

import numpy as np


def fold(
    gain: np.ndarray, bias: np.ndarray, weight: np.ndarray, b: np.ndarray, K: int
) -> tuple[np.ndarray, np.ndarray]:
    """(D,), (D,), (D, 3·D), (3·D,) -> W' (D, 3·D), b' (3·D,)"""
    D = len(gain)
    folded, shifted = gain[:, None] * weight, bias @ weight + b  # (D, 3·D), (3·D,)
    folded[:, :D] /= math.sqrt(K)
    shifted[:D] /= math.sqrt(K)
    return folded, shifted
