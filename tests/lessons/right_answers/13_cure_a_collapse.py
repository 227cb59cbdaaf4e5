"""Another right way."""

import numpy as np


def loss(a, b):
    M = len(a)
    s = a @ b.T
    off = s - np.diag(np.diag(s))
    l = 1 - np.trace(s) / M + 3 * (off**2).sum() / (M * M)
    d = 6 * off / (M * M) - np.eye(M) / M
    return l, d @ b, d.T @ a
