"""Average precision: one way to do it."""

import numpy as np


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    total, before = 0.0, 0.0
    for score in np.unique(scores)[::-1]:
        taken = scores >= score
        precision = labels[taken].mean()
        recall = labels[taken].sum() / labels.sum()
        total += (recall - before) * precision
        before = recall
    return float(total)
