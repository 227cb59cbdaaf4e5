# expect: float32 has 7 digits
from collections.abc import Callable

import numpy as np


def numeric_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """The gradient of f at x, of the shape of x"""
    x = x * 1.0
    g = np.zeros(x.shape)
    for p in np.ndindex(*x.shape):
        k = x[p]
        x[p] = k + h
        a = f(x)
        x[p] = k - h
        b = f(x)
        x[p] = k
        g[p] = (a - b) / (2 * h)
    return g
