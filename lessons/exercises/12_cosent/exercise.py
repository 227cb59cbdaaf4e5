"""CoSENT: of two pairs of sentences the one with the higher label should have the higher cosine.

    c_i  = cosine of pair i, divided by τ
    loss = log(1 + Σ exp(c_j − c_i))          over all i, j with label_i > label_j

Each term is large where the order is wrong. Pairs of equal label are not compared; if there is nothing to
compare the loss is 0. With τ = 0.05 a term reaches exp(40), with 0.001 it overflows: compute the logarithm
of the sum from the largest exponent. The 1 is a term, too: exp(0). Su 2022, kexue.fm/archives/8847.

    cosent(cosines, labels, temperature)      (M,), (M,) -> the loss

Forming all M² differences is fine here; the package needs only M·log M
(`minigpt2/training/losses/cosent.py`).
"""

import numpy as np


def cosent(cosines: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """(M,), (M,) -> the loss"""
    raise NotImplementedError("your turn")
