# expect: dx and dweight are exchanged

import numpy as np


def linear_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, out), (N, in), (in, out) -> dx (N, in), dweight (in, out), dbias (out,)"""
    return x.T @ dy, dy @ weight.T, dy.sum(axis=0)
