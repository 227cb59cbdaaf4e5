# expect: keys that are hidden have weights above 0
import numpy as np


def masked_weights(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(B, T, T) scores of query i with key j in [b, i, j], (B,) -> weights (B, T, T)"""
    B, T, _ = scores.shape
    causal = np.tri(T, dtype=bool)  # (T, T) row i is True at the columns j ≤ i
    real = np.arange(T) < lengths[:, None]  # (B, T)
    sees = causal & real[:, None, :]  # (B, T, T)
    hidden = np.where(sees, scores, 0.0)  # (B, T, T)
    hidden = np.where(real[:, :, None], hidden, 0.0)  # (B, T, T) any finite row: it is set to 0 below
    e = np.exp(hidden - hidden.max(axis=2, keepdims=True))  # (B, T, T)
    return e / e.sum(axis=2, keepdims=True) * real[:, :, None]  # (B, T, T)
