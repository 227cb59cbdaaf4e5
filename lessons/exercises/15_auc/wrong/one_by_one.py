# expect: the curve takes tied examples one by one

import numpy as np


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    o = np.argsort(-scores, kind="stable")
    l = labels[o]
    tpr = np.cumsum(l) / l.sum()
    fpr = np.cumsum(1 - l) / (1 - l).sum()
    return np.trapezoid(tpr, fpr)
