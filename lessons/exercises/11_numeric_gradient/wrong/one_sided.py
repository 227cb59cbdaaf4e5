# expect: x is moved one way only
from collections.abc import Callable

import numpy as np


def numeric_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """The gradient of f at x, of the shape of x"""
    moved = x.astype(np.float64)  # a copy
    gradient = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        kept = moved[place]
        moved[place] = kept + h
        above = f(moved)
        moved[place] = kept
        gradient[place] = (above - f(moved)) / h
    return gradient
