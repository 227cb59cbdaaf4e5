# expect: your code raises an array to a power
import math

import numpy as np


def gelu_(x: np.ndarray, block: int) -> None:
    """(N, F), in place"""
    for s in range(0, len(x), block):
        r = x[s : s + block]
        r[...] = 0.5 * r * (1 + np.tanh(math.sqrt(2 / math.pi) * (r + 0.044715 * r**3)))
