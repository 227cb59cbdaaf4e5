# expect: the average is weighted by y
import numpy as np


def softmax_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(…, T), (…, T) -> dx (…, T)"""
    return y * (dy - dy.mean(axis=-1, keepdims=True))
