# expect: they come in together
import numpy as np


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    total, before = 0.0, 0.0
    order = np.argsort(-scores, kind="stable")
    for n in range(1, len(scores) + 1):
        taken = order[:n]
        precision = labels[taken].mean()
        recall = labels[taken].sum() / labels.sum()
        total += (recall - before) * precision
        before = recall
    return float(total)
