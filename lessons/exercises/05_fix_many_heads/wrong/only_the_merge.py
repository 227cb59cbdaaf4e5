# expect: one mistake is left: every head looks at all tokens too evenly
import math

import numpy as np


def many_heads(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, heads: int) -> np.ndarray:
    """(T, D), (D, 3·D), (3·D,) -> merged (T, D)"""
    T, D = x.shape
    qkv = x @ weight + bias  # (T, 3·D)
    q, k, v = (part.reshape(T, heads, D // heads).transpose(1, 0, 2) for part in np.split(qkv, 3, axis=1))
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(D)  # (H, T, T)
    scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)  # (H, T, T)
    e = np.exp(scores - scores.max(axis=2, keepdims=True))  # (H, T, T)
    z = e / e.sum(axis=2, keepdims=True) @ v  # (H, T, K)
    return z.transpose(1, 0, 2).reshape(T, D)  # (T, D)
