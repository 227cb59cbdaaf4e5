# expect: changes its input wte

import numpy as np


def positions(lengths: np.ndarray) -> np.ndarray:
    """(B,) -> (N,) whole numbers"""
    return np.concatenate([np.arange(t) for t in lengths])


def embed(ids: np.ndarray, lengths: np.ndarray, wte: np.ndarray, wpe: np.ndarray) -> np.ndarray:
    """(N,), (B,), (V, D), (P, D) -> (N, D)"""
    wte[ids] += wpe[positions(lengths)]
    return wte[ids]
