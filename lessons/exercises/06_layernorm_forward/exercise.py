"""Layer normalisation: every row gets mean 0 and variance 1, then a scale and a shift that are learned.

    mean = mean of the row                                    (N, 1)
    var  = mean of (x − mean)² over the row                   (N, 1)      divided by D, not by D − 1
    y    = gain · (x − mean) / sqrt(var + eps) + bias         (N, D)

eps = 1e-5 stands under the root: a row whose entries are all equal gives bias and not NaN.
Ba, Kiros, Hinton 2016, arXiv:1607.06450. The package: `minigpt2/layers/layernorm.py`.
"""

import numpy as np


def layernorm(x: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """(N, D), (D,), (D,) -> (N, D)"""
    raise NotImplementedError("your turn")
