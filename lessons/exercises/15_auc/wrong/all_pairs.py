# expect: divide by positives · negatives
import numpy as np


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    difference = scores[labels == 1][:, None] - scores[labels == 0][None, :]  # (positives, negatives)
    return float(((difference > 0).sum() + 0.5 * (difference == 0).sum()) / len(scores) ** 2)
