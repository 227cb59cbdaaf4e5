# expect: axis=1 is not the last axis here

import numpy as np


def softmax_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(…, T), (…, T) -> dx (…, T)"""
    return y * (dy - (dy * y).sum(axis=min(1, y.ndim - 1), keepdims=True))
