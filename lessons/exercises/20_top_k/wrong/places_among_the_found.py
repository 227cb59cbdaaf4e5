# expect: these are places among the k found
import numpy as np


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(Q, N) -> places (Q, k), scores (Q, k)"""
    k = min(k, scores.shape[1])
    places = np.argpartition(-scores, k - 1, axis=1)[:, :k]  # (Q, k) in no order
    best = np.take_along_axis(scores, places, axis=1)  # (Q, k)
    order = np.argsort(-best, axis=1)  # (Q, k)
    return order, np.take_along_axis(best, order, axis=1)
