# expect: changes its input x
import math

import numpy as np


def gelu(x: np.ndarray) -> np.ndarray:
    """(N, F) -> (N, F)"""
    t = 0.5 * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))
    x *= t
    return x


def gelu_slope(x: np.ndarray) -> np.ndarray:
    """The derivative at each entry: (N, F) -> (N, F)"""
    return x
