# expect: changes its input ctx.x

import numpy as np

from minigpt2.layers.layernorm import LayerNormContext


def layernorm_backward(dy: np.ndarray, ctx: LayerNormContext) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, D) -> dx (N, D), dgain (D,), dbias (D,)"""
    xh = ctx.x
    xh -= ctx.mean
    xh *= ctx.rstd
    d = dy * ctx.gain
    dx = (d - d.mean(1, keepdims=True) - xh * (d * xh).mean(1, keepdims=True)) * ctx.rstd
    return dx, (dy * xh).sum(0), dy.sum(0)
