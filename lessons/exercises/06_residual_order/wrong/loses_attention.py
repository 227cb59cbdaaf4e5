# expect: the second sum starts from x
from collections.abc import Callable

import numpy as np

Layer = Callable[[np.ndarray], np.ndarray]


def block(x: np.ndarray, ln_1: Layer, attention: Layer, ln_2: Layer, mlp: Layer) -> np.ndarray:
    """(N, D) -> (N, D)"""
    h = x + attention(ln_1(x))  # (N, D)
    return x + mlp(ln_2(h))
