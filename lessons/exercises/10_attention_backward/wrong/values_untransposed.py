# expect: v_j hears of the z that it went into
import math

import numpy as np


def attention_backward(
    dz: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, pattern: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dz, q, k, v (T, K), pattern (T, T) -> dq, dk, dv (T, K)"""
    dv = pattern @ dz
    dpattern = dz @ v.T  # (T, T)  z = pattern @ v
    dscores = pattern * (dpattern - (dpattern * pattern).sum(axis=1, keepdims=True))  # (T, T)
    dscores = dscores / math.sqrt(q.shape[1])  # (T, T)
    return dscores @ k, dscores.T @ q, dv
