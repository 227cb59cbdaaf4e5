# expect: give padded queries a finite row

import numpy as np


def masked_weights(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(B, T, T) scores of query i with key j in [b, i, j], (B,) -> weights (B, T, T)"""
    B, T, _ = scores.shape
    causal = np.tri(T, dtype=bool)
    real = np.arange(T) < lengths[:, None]
    sees = causal & real[:, None, :] & real[:, :, None]
    s = np.where(sees, scores, -np.inf)
    e = np.exp(s - s.max(axis=2, keepdims=True))
    return e / e.sum(axis=2, keepdims=True)
