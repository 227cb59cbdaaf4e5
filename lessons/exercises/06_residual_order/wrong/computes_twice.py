# expect: each layer is needed once
from collections.abc import Callable

import numpy as np

Layer = Callable[[np.ndarray], np.ndarray]


def block(x: np.ndarray, ln_1: Layer, attention: Layer, ln_2: Layer, mlp: Layer) -> np.ndarray:
    """(N, D) -> (N, D)"""
    return x + attention(ln_1(x)) + mlp(ln_2(x + attention(ln_1(x))))
