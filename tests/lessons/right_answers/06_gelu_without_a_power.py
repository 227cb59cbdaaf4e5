"""Another right way."""

import math

import numpy as np

C = math.sqrt(2 / math.pi)


def gelu(x):
    u = C * (x + 0.044715 * x**2 * x)
    return x * 0.5 * (1 + np.tanh(u))


def gelu_slope(x):
    u = C * (x + 0.044715 * np.square(x) * x)
    t = np.tanh(u)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * C * (1 + 0.134145 * x**2)
