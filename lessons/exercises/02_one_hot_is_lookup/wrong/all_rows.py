# expect: sets these columns in EVERY row
import numpy as np


def one_hot(ids: np.ndarray, V: int) -> np.ndarray:
    """(N,) -> (N, V) float64"""
    rows = np.zeros((len(ids), V))  # (N, V)
    rows[:, ids] = 1.0
    return rows


def table_gradient(ids: np.ndarray, dy: np.ndarray, V: int) -> np.ndarray:
    """(N,), (N, D) -> dtable (V, D)"""
    dtable = np.zeros((V, dy.shape[1]))  # (V, D)
    np.add.at(dtable, ids, dy)
    return dtable
