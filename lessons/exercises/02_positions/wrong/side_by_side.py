# expect: not put side by side
import numpy as np


def positions(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([np.arange(n) for n in lengths])


def embed(ids: np.ndarray, lengths: np.ndarray, wte: np.ndarray, wpe: np.ndarray) -> np.ndarray:
    return np.concatenate([wte[ids], wpe[positions(lengths)]], axis=1)
