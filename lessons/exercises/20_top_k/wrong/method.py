# expect: argsort sorts rows of 500 scores

import numpy as np


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(Q, N) -> places (Q, k), scores (Q, k)"""
    p = (-scores).argsort(axis=1)[:, :k]
    return p, np.take_along_axis(scores, p, axis=1)
