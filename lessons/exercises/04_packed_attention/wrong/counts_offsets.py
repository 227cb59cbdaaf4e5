# expect: there are B sentences, but B + 1 offsets
import math

import numpy as np


def packed_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, K), (N, K), (N, K), (B+1,) -> z (N, K)"""
    z = np.zeros_like(v)  # (N, K)
    for start, end in zip(offsets[:-1], offsets[1:], strict=True):
        if start == end:
            continue
        rows = slice(start, end)
        scores = q[rows] @ k[rows].T / math.sqrt(q.shape[1])  # (T, T)
        scores = np.where(np.tri(end - start, dtype=bool), scores, -np.inf)  # (T, T)
        e = np.exp(scores - scores.max(axis=1, keepdims=True))  # (T, T)
        z[rows] = e / e.sum(axis=1, keepdims=True) @ v[rows]  # (T, K)
    return z


def padded_rows(offsets: np.ndarray) -> int:
    """(B+1,) -> how many rows the batch would have with padding"""
    lengths = np.diff(offsets)  # (B,)
    return int(len(offsets) * lengths.max())
