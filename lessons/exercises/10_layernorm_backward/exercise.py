"""The way back through layer normalisation, and then a model that trains with yours.

    x̂ = (x − mean(x)) · rstd          over the width D of each row, rstd = 1 / sqrt(var(x) + eps)
    y = gain · x̂ + bias

Given dy = ∂loss/∂y (N, D), find

    dbias (D,)     every row has the same bias
    dgain (D,)     … and the same gain, which multiplies x̂
    dx (N, D)      x reaches y by three ways: itself, through the mean, and through rstd

With dx̂ = dy · gain, the three ways together give, with the means over each row,

    dx = (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂)) · rstd

Derive it if you can: x̂ does not change when a row is shifted or stretched, so what points there drops out.
`ctx` is the package's context of forward: ctx.x (N, D), ctx.mean (N, 1), ctx.rstd (N, 1), ctx.gain (D,).
The check compares with finite differences, then puts your function into a model and trains it.
The package: `minigpt2/layers/layernorm.py`.
"""

import numpy as np

from minigpt2.layers.layernorm import LayerNormContext


def layernorm_backward(dy: np.ndarray, ctx: LayerNormContext) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, D) -> dx (N, D), dgain (D,), dbias (D,)"""
    raise NotImplementedError("your turn")
