"""Softmax over the last axis, for scores of any size.

    softmax(x)_i = exp(x_i) / Σ_j exp(x_j)

Written like this it fails: exp(1000) is infinite in float64, and inf / inf is NaN. Adding the same number
to all scores of a row changes nothing in the result, so something may be taken away first. Write it so that
it holds for

    x of shape (…, T): every row along the last axis gives positive weights that sum to 1
    scores such as 1000 or -1000
    scores of -inf, which hide a token: its weight is exactly 0 (each row has at least one finite score)

Leave x as it is. The package: `minigpt2/layers/softmax.py`.
"""

import numpy as np


def softmax(x: np.ndarray) -> np.ndarray:
    """(…, T) -> (…, T)"""
    raise NotImplementedError("your turn")
