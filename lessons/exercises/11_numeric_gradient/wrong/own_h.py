# expect: h is handed in
from collections.abc import Callable

import numpy as np


def numeric_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """The gradient of f at x, of the shape of x"""
    g = []
    x = np.asarray(x, dtype=np.float64)
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = 1e-5
        e = e.reshape(x.shape)
        g.append((f(x + e) - f(x - e)) / 2e-5)
    return np.array(g).reshape(x.shape)
