"""Backward of softmax over the last axis, without its Jacobian.

For one row y = softmax(x) of length T the Jacobian is ∂y_i/∂x_j = y_i · (1[i = j] − y_j), a T × T matrix.
Put it into dx_j = Σ_i dy_i · ∂y_i/∂x_j and simplify: what is left needs two numbers a row and no matrix.

    softmax_backward(dy, y)       (…, T), (…, T) -> dx (…, T)         y is what forward gave

Any number of axes may stand before the last. A hidden score (weight exactly 0) must get the gradient 0.
The check compares with the Jacobian, then puts your function into a model's attention and trains it.
The package: `minigpt2/layers/softmax.py`.
"""

import numpy as np


def softmax_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(…, T), (…, T) -> dx (…, T)"""
    raise NotImplementedError("your turn")
