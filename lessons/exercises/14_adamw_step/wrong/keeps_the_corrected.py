# expect: m is kept without the correction
import numpy as np


def adamw(
    theta: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    g: np.ndarray,
    t: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.98),
    eps: float = 1e-8,
    decay: float = 0.01,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All (P,); t is 1 in the first step -> θ, m, v after the step"""
    beta1, beta2 = betas
    theta = theta * (1.0 - lr * decay)
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * g * g
    m, v = m / (1.0 - beta1**t), v / (1.0 - beta2**t)
    return theta - lr * m / (np.sqrt(v) + eps), m, v
