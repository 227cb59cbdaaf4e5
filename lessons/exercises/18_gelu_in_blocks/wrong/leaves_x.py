# expect: it is to work in place
import math

import numpy as np


def gelu_(x: np.ndarray, block: int) -> None:
    """(N, F), in place"""
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))
