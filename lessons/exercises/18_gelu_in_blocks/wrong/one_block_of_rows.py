# expect: only the first block is done
import math

import numpy as np


def gelu_(x: np.ndarray, block: int) -> None:
    """(N, F), in place"""
    for i in range(block):
        x[i] = 0.5 * x[i] * (1 + np.tanh(math.sqrt(2 / math.pi) * (x[i] + 0.044715 * x[i] * x[i] * x[i])))
