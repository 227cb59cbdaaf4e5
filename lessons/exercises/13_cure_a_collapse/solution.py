"""Cure a collapse: one way to do it."""

import numpy as np

from minigpt2.training.losses import info_nce, info_nce_backward


def loss(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(M, D), (M, D), rows of length 1 -> loss, da (M, D), db (M, D)"""
    value, ctx = info_nce(a, b, temperature=0.1)
    da, db, _ = info_nce_backward(1.0, ctx)
    return float(value), da, db
