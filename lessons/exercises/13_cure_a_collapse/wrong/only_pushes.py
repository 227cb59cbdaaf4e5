# expect: something must pull, too
import numpy as np

from minigpt2.training.losses import info_nce, info_nce_backward


def loss(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(M, D), (M, D), rows of length 1 -> loss, da (M, D), db (M, D)"""
    M = len(a)
    total = a.sum(axis=0) + b.sum(axis=0)
    return (
        float(total @ total / M / M),
        np.tile(2 * total / M / M, (M, 1)),
        np.tile(2 * total / M / M, (M, 1)),
    )
