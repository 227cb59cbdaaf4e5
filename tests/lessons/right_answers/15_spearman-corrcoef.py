"""Another right way."""

import numpy as np


def ranks(values):
    _u, inv, c = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(c) - (c - 1) / 2)[inv]


def spearman(a, b):
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0
    return np.corrcoef(ranks(a), ranks(b))[0, 1]
