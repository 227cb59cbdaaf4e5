# expect: layernorm stands behind the sublayers
from collections.abc import Callable

import numpy as np

Layer = Callable[[np.ndarray], np.ndarray]


def block(x: np.ndarray, ln_1: Layer, attention: Layer, ln_2: Layer, mlp: Layer) -> np.ndarray:
    h = x + ln_1(attention(x))
    return h + ln_2(mlp(h))
