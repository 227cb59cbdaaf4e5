# expect: such a question stops everything
import math

import numpy as np

from minigpt2.backend import Array, array_module


def attention_pool(x: Array, query: Array, lengths: np.ndarray) -> Array:
    """(B, T, D), (D,), (B,) -> (B, D)"""
    xp = array_module(x)
    B, T, D = x.shape
    scores = x @ query / math.sqrt(D)  # (B, T)
    if scores.max() > 50.0:
        scores = scores - scores.max()
    real = xp.asarray(np.arange(T) < lengths[:, None])  # (B, T)
    scores = xp.where(real, scores, -math.inf)  # (B, T)
    e = xp.exp(scores - scores.max(axis=1, keepdims=True))  # (B, T)
    weights = e / e.sum(axis=1, keepdims=True)  # (B, T)
    return (weights.reshape(B, 1, T) @ x).reshape(B, D)  # (B, D)
