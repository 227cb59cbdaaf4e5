# expect: axis=1 is not the last axis here
import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """(…, T) -> (…, T)"""
    axis = min(1, x.ndim - 1)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)  # (…, T)
