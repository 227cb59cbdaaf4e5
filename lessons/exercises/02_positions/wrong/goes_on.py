# expect: each begins at 0
import numpy as np


def positions(lengths: np.ndarray) -> np.ndarray:
    """(B,) -> (N,) whole numbers"""
    starts = np.cumsum(lengths) - lengths  # (B,)
    return np.arange(lengths.sum())


def embed(ids: np.ndarray, lengths: np.ndarray, wte: np.ndarray, wpe: np.ndarray) -> np.ndarray:
    """(N,), (B,), (V, D), (P, D) -> (N, D)"""
    return wte[ids] + wpe[positions(lengths)]  # (N, D)
