# expect: the variance is divided by D − 1
import numpy as np


def layernorm(x: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """(N, D), (D,), (D,) -> (N, D)"""
    centred = x - x.mean(axis=1, keepdims=True)  # (N, D)
    var = x.var(axis=1, ddof=1, keepdims=True)
    return centred / np.sqrt(var + eps) * gain + bias  # (N, D)
