"""Put the steps of a transformer block in the right order.

    h = x + attention(layernorm_1(x))
    y = h + mlp(layernorm_2(h))

The layernorm stands before each sublayer (Radford et al. 2019, section 2.3), so x reaches y unchanged but
for what is added, and the gradient has the same straight way back. The block below was written after the
picture in the paper of 2017, where it stands after the sum. It trains, worse the deeper the model is.

The two sublayers and layernorms are handed in as functions (N, D) -> (N, D). Mend it without calling any of
them twice. The package: `minigpt2/layers/block.py`.
"""

from collections.abc import Callable

import numpy as np

Layer = Callable[[np.ndarray], np.ndarray]


def block(x: np.ndarray, ln_1: Layer, attention: Layer, ln_2: Layer, mlp: Layer) -> np.ndarray:
    """(N, D) -> (N, D)"""
    h = ln_1(x + attention(x))  # (N, D)
    return ln_2(h + mlp(h))  # (N, D)
