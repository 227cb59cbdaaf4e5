# expect: softmax's backward is missing
import math

import numpy as np


def attention_backward(
    dz: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, pattern: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dz, q, k, v (T, K), pattern (T, T) -> dq, dk, dv (T, K)"""
    dv = pattern.T @ dz  # (T, K)  z = pattern @ v
    dpattern = dz @ v.T  # (T, T)  z = pattern @ v
    dscores = dpattern
    dscores = dscores / math.sqrt(q.shape[1])  # (T, T)
    return dscores @ k, dscores.T @ q, dv
