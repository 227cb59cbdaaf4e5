"""A training that makes all vectors the same, and you are to cure it.

The check trains a linear layer on features of 32 pairs of texts, whose features share one large direction,
with the loss below. The loss only pulls: it is 1 − the mean cosine of the pairs, its gradient is right, and
after 150 steps it is nearly 0. And yet different texts have a mean cosine of 0.97, and few texts find their
own partner: the shortest way to close pairs is to put everything in one place.

Rewrite `loss` so that after the same training

    different texts have a mean cosine below 0.3,
    at least 6 of 12 directions are in use (effective rank),
    and 9 of 10 texts have their own partner as the nearest.

It gets rows of length 1 and returns the loss and its gradients. Use what you have written, or
`minigpt2.training.losses`. Lesson 13 shows the gauges.
"""

import numpy as np


def loss(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(M, D), (M, D), rows of length 1 -> loss, da (M, D), db (M, D)"""
    M = len(a)
    return float(1.0 - (a * b).sum(axis=1).mean()), -b / M, -a / M
