"""Backward of y = x · W + b, and a model that trains with it.

Given dy = ∂loss/∂y (N, out), x (N, in) and W (in, out), find

    dx       (N, in)       each input feeds every output of its row
    dweight  (in, out)     each weight meets every row once: a sum over the rows
    dbias    (out,)        the same bias for every row: a sum over the rows

Write one entry with sums first, ∂loss/∂W[i, j] = Σ_n dy[n, j] · x[n, i], then see which matrix product that
is. The check writes these sums out, then puts your function into a model and trains it. The package:
`minigpt2/layers/linear.py`.
"""

import numpy as np


def linear_backward(
    dy: np.ndarray, x: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, out), (N, in), (in, out) -> dx (N, in), dweight (in, out), dbias (out,)"""
    raise NotImplementedError("your turn")
