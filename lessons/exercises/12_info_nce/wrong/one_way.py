# expect: only one way
import numpy as np


def info_nce(a: np.ndarray, b: np.ndarray, temperature: float) -> float:
    """(M, D), (M, D) of length 1 -> the loss"""
    scores = a @ b.T / temperature  # (M, M)
    return _find(scores)


def _find(scores: np.ndarray) -> float:
    """The mean cross-entropy of rows whose right answer is the diagonal."""
    shifted = scores - scores.max(axis=1, keepdims=True)  # (M, M)
    log_total = np.log(np.exp(shifted).sum(axis=1))  # (M,)
    return float((log_total - np.diag(shifted)).mean())
