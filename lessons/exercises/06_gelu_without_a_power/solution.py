"""GELU without a power: one way to do it."""

import math

import numpy as np


def gelu(x: np.ndarray) -> np.ndarray:
    """(N, F) -> (N, F)"""
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))


def gelu_slope(x: np.ndarray) -> np.ndarray:
    """The derivative at each entry: (N, F) -> (N, F)"""
    t = np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x))  # (N, F)
    du = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * x * x)  # (N, F)
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * du
