"""Another right way."""

import math

import numpy as np


def gelu(x):
    t = x * x
    t *= 0.044715
    t += 1
    t *= x
    t *= math.sqrt(2 / math.pi)
    np.tanh(t, out=t)
    t += 1
    t *= 0.5
    return t * x


def gelu_slope(x):
    u = np.multiply(x, x)
    u *= x
    t = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * u))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t) * (1 + t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
