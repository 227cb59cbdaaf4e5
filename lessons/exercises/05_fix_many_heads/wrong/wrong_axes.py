# expect: the axes that must change places are the first two
import math

import numpy as np


def many_heads(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, heads: int) -> np.ndarray:
    T, D = x.shape
    qkv = x @ weight + bias
    q, k, v = (part.reshape(T, heads, D // heads).transpose(1, 0, 2) for part in np.split(qkv, 3, axis=1))
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(D // heads)
    scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=2, keepdims=True))
    z = e / e.sum(axis=2, keepdims=True) @ v
    return z.swapaxes(1, 2).reshape(T, D)
