"""GELU written over its input, with scratch memory for one block only.

    y = ½ · x · (1 + tanh(sqrt(2/π) · (x + 0.044715 · x³)))

`gelu(x)` as a formula makes half a dozen temporary arrays of x's size, each written to memory and read
back. On blocks of some rows all of that stays in the cache. Write

    gelu_(x, block)       x (N, F) is overwritten with the result; at most `block` rows at a time

using `out=` (np.multiply(a, b, out=c)) or in-place operators on one or two scratch arrays of (block, F),
which are made once. The last block may be smaller. The function returns nothing: the trailing _ says that
it works in place. The check measures the memory that it takes. No `**`. The package:
`minigpt2/layers/gelu.py`.
"""

import math

import numpy as np


def gelu_(x: np.ndarray, block: int) -> None:
    """(N, F), in place"""
    raise NotImplementedError("your turn")
