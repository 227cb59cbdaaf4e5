# expect: at or ABOVE it

import numpy as np


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    total, before = 0.0, 0.0
    for s in np.unique(scores)[::-1]:
        t = scores > s
        if not t.any():
            continue
        p, r = labels[t].mean(), labels[t].sum() / labels.sum()
        total += (r - before) * p
        before = r
    return total
