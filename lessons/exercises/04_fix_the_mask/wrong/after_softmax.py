# expect: the mask comes after softmax
import numpy as np


def masked_weights(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(B, T, T) scores of query i with key j in [b, i, j], (B,) -> weights (B, T, T)"""
    B, T, _ = scores.shape
    causal = np.tri(T, dtype=bool)  # (T, T) row i is True at the columns j ≤ i
    real = np.arange(T) < lengths[:, None]  # (B, T)
    sees = causal & real[:, None, :]  # (B, T, T)
    e = np.exp(scores - scores.max(axis=2, keepdims=True))
    return e / e.sum(axis=2, keepdims=True) * sees * real[:, :, None]
