"""The margin contrastive loss of pairs, and its slope in the cosine.

    d_i  = 1 − a_i · b_i                                             rows of length 1: 0 … 2
    loss = mean_i ½ (y_i · d_i² + (1 − y_i) · max(0, margin − d_i)²)

y is 1 for a pair that belongs together and 0 for one that does not; a pair labelled 0 that is already
further apart than the margin costs nothing. Hadsell, Chopra, LeCun 2006, equation 4.

    contrastive(a, b, y, margin=0.5)    (M, D), (M, D), (M,) -> loss
    slope(a, b, y, margin=0.5)          -> ∂loss/∂(a_i · b_i)  (M,), negative where a pair is to come closer

The package: `minigpt2/training/losses/contrastive.py`.
"""

import numpy as np


def contrastive(a: np.ndarray, b: np.ndarray, y: np.ndarray, margin: float = 0.5) -> float:
    """(M, D), (M, D), (M,) -> the mean loss"""
    raise NotImplementedError("your turn")


def slope(a: np.ndarray, b: np.ndarray, y: np.ndarray, margin: float = 0.5) -> np.ndarray:
    """(M, D), (M, D), (M,) -> (M,)"""
    raise NotImplementedError("your turn")
