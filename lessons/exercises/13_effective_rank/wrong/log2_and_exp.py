# expect: natural logarithm and exp belong together
import numpy as np


def effective_rank(x: np.ndarray) -> float:
    """(M, D) -> 0 … min(M, D)"""
    sigma = np.linalg.svd(x / np.linalg.norm(x, axis=1, keepdims=True), compute_uv=False)
    p = sigma / sigma.sum()
    return float(np.exp(-(p * np.log2(p)).sum()))
