"""Another right way."""

import math

import numpy as np


def gelu_(x, block):
    for start in range(0, len(x), block):
        r = x[start : start + block]
        r[...] = 0.5 * r * (1.0 + np.tanh(math.sqrt(2 / math.pi) * (r + 0.044715 * r * r * r)))
