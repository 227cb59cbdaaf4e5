# expect: clipping scores or replacing NaN loses

import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """(…, T) -> (…, T)"""
    e = np.exp(np.clip(x, -50, 50))
    return e / e.sum(axis=-1, keepdims=True)
