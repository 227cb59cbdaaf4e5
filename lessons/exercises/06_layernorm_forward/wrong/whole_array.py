# expect: each row has its own
import numpy as np


def layernorm(x: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    return gain * (x - x.mean()) / np.sqrt(x.var() + eps) + bias
