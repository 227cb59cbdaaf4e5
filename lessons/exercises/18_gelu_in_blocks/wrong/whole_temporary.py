# expect: a temporary array of x's size is made
import math

import numpy as np


def gelu_(x: np.ndarray, block: int) -> None:
    """(N, F), in place"""
    x *= 0.5 * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))
