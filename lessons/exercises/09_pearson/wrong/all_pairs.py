# expect: not all rows of b

import numpy as np


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,)"""
    return np.corrcoef(a, b)[: len(a), len(a) :]
