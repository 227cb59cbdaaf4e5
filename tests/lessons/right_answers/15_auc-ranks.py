"""Another right way."""

import numpy as np


def auc(scores, labels):
    _u, inv, c = np.unique(scores, return_inverse=True, return_counts=True)
    r = (np.cumsum(c) - (c - 1) / 2)[inv]
    p = int(labels.sum())
    n = len(labels) - p
    return (r[labels == 1].sum() - p * (p + 1) / 2) / (p * n)
