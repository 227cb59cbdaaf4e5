"""Do at load what would be done for every token.

A layernorm is followed by a linear layer; attention's queries are divided by sqrt(K) afterwards:

    x̂ = (x − mean) / sqrt(var + eps)
    y = (gain · x̂ + bias) · W + b                    W (D, 3·D): the queries are its first D columns

Gain and bias can move into W and b, so that at inference the plain x̂ is enough, y = x̂ · W' + b'. And the
division of the scores by sqrt(K) can move into the columns and biases of the queries.

    fold(gain, bias, W, b, K)      (D,), (D,), (D, 3·D), (3·D,), width of a head -> W', b'

so that x̂ · W' + b' = y with its first D columns divided by sqrt(K). The inputs stay as they are. This is
what an inference plan does; it is also why folded weights are no checkpoint.
"""

import math

import numpy as np


def fold(
    gain: np.ndarray, bias: np.ndarray, weight: np.ndarray, b: np.ndarray, K: int
) -> tuple[np.ndarray, np.ndarray]:
    """(D,), (D,), (D, 3·D), (3·D,) -> W' (D, 3·D), b' (3·D,)"""
    raise NotImplementedError("your turn")
