# expect: every column is normalised
import numpy as np


def layernorm(x: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """(N, D), (D,), (D,) -> (N, D)"""
    centred = x - x.mean(axis=0, keepdims=True)
    var = (centred * centred).mean(axis=0, keepdims=True)
    return centred / np.sqrt(var + eps) * gain + bias  # (N, D)
