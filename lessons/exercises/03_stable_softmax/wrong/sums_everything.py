# expect: you divide by the sum of all entries
import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """(…, T) -> (…, T)"""
    e = np.exp(x - x.max(axis=-1, keepdims=True))  # (…, T)
    return e / e.sum()  # (…, T)
