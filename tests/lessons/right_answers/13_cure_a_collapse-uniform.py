"""Another right way."""

import numpy as np


def loss(a, b):
    M = len(a)
    s = np.exp(4 * a @ b.T - 4)
    np.fill_diagonal(s, 0)
    t = s.sum()
    return (
        float(2 - 2 * (a * b).sum() / M + np.log(t)),
        -2 * b / M + 4 * (s @ b) / t,
        -2 * a / M + 4 * (s.T @ a) / t,
    )
