# expect: positions([3, 1, 2]) gives a list

import numpy as np


def positions(lengths: np.ndarray) -> np.ndarray:
    """(B,) -> (N,) whole numbers"""
    return [t for T in lengths for t in range(T)]


def embed(ids: np.ndarray, lengths: np.ndarray, wte: np.ndarray, wpe: np.ndarray) -> np.ndarray:
    """(N,), (B,), (V, D), (P, D) -> (N, D)"""
    return wte[ids] + wpe[positions(lengths)]
