# expect: leave out shares of 0
import numpy as np


def effective_rank(x: np.ndarray) -> float:
    """(M, D) -> 0 … min(M, D)"""
    norms = np.linalg.norm(x, axis=1, keepdims=True)  # (M, 1)
    sigma = np.linalg.svd(x / np.where(norms > 0.0, norms, 1.0), compute_uv=False)  # (min(M, D),)
    if sigma.sum() == 0.0:
        return 0.0
    p = sigma / sigma.sum()
    return float(np.exp(-(p * np.log(p)).sum()))
