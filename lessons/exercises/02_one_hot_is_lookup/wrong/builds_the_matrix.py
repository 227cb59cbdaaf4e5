# expect: is there a one-hot matrix in it
import numpy as np


def one_hot(ids: np.ndarray, V: int) -> np.ndarray:
    """(N,) -> (N, V) float64"""
    rows = np.zeros((len(ids), V))  # (N, V)
    rows[np.arange(len(ids)), ids] = 1.0
    return rows


def table_gradient(ids: np.ndarray, dy: np.ndarray, V: int) -> np.ndarray:
    """(N,), (N, D) -> dtable (V, D)"""
    return one_hot(ids, V).T @ dy
