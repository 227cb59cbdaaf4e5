# expect: eps is handed in

import numpy as np


def layernorm(x: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """(N, D), (D,), (D,) -> (N, D)"""
    return np.array([(r - np.mean(r)) / np.sqrt(np.var(r) + 1e-5) * gain + bias for r in x])
