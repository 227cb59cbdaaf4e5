"""What pulls and what pushes: the gradient of one direction of InfoNCE.

    s = a · bᵀ / τ            (M, M)
    loss = mean_i ( log Σ_j exp(s_ij) − s_ii )

Find da (M, D) and db (M, D). The gradient in the scores is (softmax(s) − I) / M: each wrong candidate is
pushed away as much as it is believed in, the right one is pulled by what is missing to 1. Then s = a · bᵀ /
τ is a product, and each side hears of the other. Mind the temperature on the way back.

Nothing is normalised here: a and b are the inputs. The package: `minigpt2/training/losses/info_nce.py`.
"""

import numpy as np


def info_nce_gradient(a: np.ndarray, b: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """(M, D), (M, D) -> da (M, D), db (M, D)"""
    raise NotImplementedError("your turn")
