# expect: a finite score always leaves some weight
import numpy as np


def masked_weights(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    B, T, _ = scores.shape
    causal = np.tri(T, dtype=bool)
    real = np.arange(T) < lengths[:, None]
    sees = causal & real[:, None, :]
    hidden = np.where(sees, scores, -1.0)
    hidden = np.where(real[:, :, None], hidden, 0.0)
    e = np.exp(hidden - hidden.max(axis=2, keepdims=True))
    return e / e.sum(axis=2, keepdims=True) * real[:, :, None]
