"""Another right way."""

import numpy as np


def alignment(a, b):
    return 2 - 2 * np.einsum("md,md->", a, b) / len(a)


def uniformity(x):
    i, j = np.triu_indices(len(x), 1)
    return np.log(np.exp(4 * (x[i] * x[j]).sum(1) - 4).mean())
