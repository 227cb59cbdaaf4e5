"""Another right way."""

import numpy as np


def assign(x, c):
    return np.argmax(x @ c.T - 0.5 * (c * c).sum(1), axis=1)


def centres_of(x, g, old):
    s = np.zeros_like(old)
    np.add.at(s, g, x)
    n = np.bincount(g, minlength=len(old))[:, None]
    return np.where(n > 0, s / np.maximum(n, 1), old)
