# expect: changes its input weight
import math

import numpy as np


def fold(
    gain: np.ndarray, bias: np.ndarray, weight: np.ndarray, b: np.ndarray, K: int
) -> tuple[np.ndarray, np.ndarray]:
    """(D,), (D,), (D, 3·D), (3·D,) -> W' (D, 3·D), b' (3·D,)"""
    D = len(gain)
    shifted = bias @ weight + b
    weight *= gain[:, None]
    folded = weight
    folded[:, :D] /= math.sqrt(K)
    shifted[:D] /= math.sqrt(K)
    return folded, shifted
