"""The area under the ROC curve, from what it means.

    AUC = the share of all (positive, negative) pairs in which the positive has the higher score;
          a tie counts half

A score that knows nothing reaches ½, one that is always wrong 0. It does not care about how many positives
there are, which average precision does. M positives and N negatives make M·N pairs: `np.subtract.outer` or
[:, None] gives all differences at once.

    auc(scores, labels)     (M,), (M,) of 0 and 1 -> 0 … 1

The package computes it by ranks: `minigpt2/evaluation/metrics.py`.
"""

import numpy as np


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    raise NotImplementedError("your turn")
