# expect: is there a loop over pairs
import math

import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M, D), (N, D) -> (M, N)"""
    return np.array(
        [[min(1, max(-1, x @ y / (math.sqrt(x @ x) * math.sqrt(y @ y) or 1))) for y in b] for x in a]
    )
