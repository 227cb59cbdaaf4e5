# expect: not of the sentence's length
import math

import numpy as np


def packed_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    z = np.zeros_like(v)
    for a, b in zip(offsets[:-1], offsets[1:], strict=False):
        if a == b:
            continue
        s = q[a:b] @ k[a:b].T / math.sqrt(b - a)
        s = np.where(np.tri(b - a, dtype=bool), s, -np.inf)
        e = np.exp(s - s.max(axis=1, keepdims=True))
        z[a:b] = e / e.sum(axis=1, keepdims=True) @ v[a:b]
    return z


def padded_rows(offsets: np.ndarray) -> int:
    return len(offsets) * max(np.diff(offsets))
