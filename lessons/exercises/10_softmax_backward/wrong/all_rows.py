# expect: the sum goes over all rows
import numpy as np


def softmax_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(…, T), (…, T) -> dx (…, T)"""
    return y * (dy - (dy * y).sum())  # (…, T)
