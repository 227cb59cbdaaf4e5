# expect: changes its input x
from collections.abc import Callable

import numpy as np

Layer = Callable[[np.ndarray], np.ndarray]


def block(x: np.ndarray, ln_1: Layer, attention: Layer, ln_2: Layer, mlp: Layer) -> np.ndarray:
    """(N, D) -> (N, D)"""
    x += attention(ln_1(x))
    x += mlp(ln_2(x))
    return x
