# expect: the sums start from the normalised rows
from collections.abc import Callable

import numpy as np

Layer = Callable[[np.ndarray], np.ndarray]


def block(x: np.ndarray, ln_1: Layer, attention: Layer, ln_2: Layer, mlp: Layer) -> np.ndarray:
    x = ln_1(x)
    h = x + attention(x)
    h = ln_2(h)
    return h + mlp(h)
