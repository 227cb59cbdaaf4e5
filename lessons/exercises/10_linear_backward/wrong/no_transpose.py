# expect: runs over W's columns: dy @ W.T
import numpy as np


def linear_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, out), (N, in), (in, out) -> dx (N, in), dweight (in, out), dbias (out,)"""
    return dy @ weight, x.T @ dy, dy.sum(axis=0)
