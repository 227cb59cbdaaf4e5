# expect: changes its input q
import math

import numpy as np


def attend(q: np.ndarray, keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K,), (T, K), (T, K) -> weights (T,), z (K,)"""
    q /= math.sqrt(len(q))
    s = keys @ q
    e = np.exp(s - s.max())
    w = e / e.sum()
    return w, w @ values
