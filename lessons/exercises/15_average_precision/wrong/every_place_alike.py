# expect: not at every place alike
import numpy as np


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    total, before = 0.0, 0.0
    for score in np.unique(scores)[::-1]:
        taken = scores >= score
        precision = labels[taken].mean()
        recall = labels[taken].sum() / labels.sum()
    order = np.argsort(-scores, kind="stable")
    return float((np.cumsum(labels[order]) / np.arange(1, len(labels) + 1)).mean())
