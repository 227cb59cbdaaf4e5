# expect: changes its input b
import math

import numpy as np


def fold(
    gain: np.ndarray, bias: np.ndarray, weight: np.ndarray, b: np.ndarray, K: int
) -> tuple[np.ndarray, np.ndarray]:
    """(D,), (D,), (D, 3·D), (3·D,) -> W' (D, 3·D), b' (3·D,)"""
    D = len(gain)
    b += bias @ weight
    W = gain[:, None] * weight
    W[:, :D] /= math.sqrt(K)
    b[:D] /= math.sqrt(K)
    return W, b
