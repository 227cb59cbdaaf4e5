# expect: rows that lie far below it vanish
import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """(…, T) -> (…, T)"""
    e = np.exp(x - x.max())  # (…, T)
    return e / e.sum(axis=-1, keepdims=True)  # (…, T)
