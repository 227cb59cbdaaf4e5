# expect: eps is added to the root
import numpy as np


def layernorm(x: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """(N, D), (D,), (D,) -> (N, D)"""
    centred = x - x.mean(axis=1, keepdims=True)  # (N, D)
    var = (centred * centred).mean(axis=1, keepdims=True)  # (N, 1)
    return centred / (np.sqrt(var) + eps) * gain + bias  # (N, D)
