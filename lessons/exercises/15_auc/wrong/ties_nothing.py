# expect: ties count for nothing here
import numpy as np


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """(M,), (M,) of 0 and 1, both kinds among them"""
    difference = scores[labels == 1][:, None] - scores[labels == 0][None, :]  # (positives, negatives)
    return float((difference > 0).mean())
