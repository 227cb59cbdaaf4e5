# expect: this counts the singular values that are not 0

import numpy as np


def effective_rank(x: np.ndarray) -> float:
    """(M, D) -> 0 … min(M, D)"""
    return float(np.linalg.matrix_rank(x))
