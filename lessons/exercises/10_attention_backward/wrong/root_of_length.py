# expect: you divide by sqrt(T)
import math

import numpy as np


def attention_backward(
    dz: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, pattern: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dz, q, k, v (T, K), pattern (T, T) -> dq, dk, dv (T, K)"""
    dp = dz @ v.T
    ds = pattern * (dp - (dp * pattern).sum(1, keepdims=True)) / math.sqrt(len(q))
    return ds @ k, ds.T @ q, pattern.T @ dz
