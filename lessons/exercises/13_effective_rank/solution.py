"""How many directions are in use?: one way to do it."""

import numpy as np


def effective_rank(x: np.ndarray) -> float:
    """(M, D) -> 0 … min(M, D)"""
    norms = np.linalg.norm(x, axis=1, keepdims=True)  # (M, 1)
    sigma = np.linalg.svd(x / np.where(norms > 0.0, norms, 1.0), compute_uv=False)  # (min(M, D),)
    if sigma.sum() == 0.0:
        return 0.0
    p = sigma / sigma.sum()
    p = p[p > 0.0]
    return float(np.exp(-(p * np.log(p)).sum()))
