# expect: changes its input dy
import numpy as np

from minigpt2.layers.layernorm import LayerNormContext


def layernorm_backward(dy: np.ndarray, ctx: LayerNormContext) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, D) -> dx (N, D), dgain (D,), dbias (D,)"""
    x_hat = (ctx.x - ctx.mean) * ctx.rstd  # (N, D)
    dbias = dy.sum(axis=0)  # (D,)
    dgain = (dy * x_hat).sum(axis=0)  # (D,)
    dy *= ctx.gain
    dx_hat = dy
    shift = dx_hat.mean(axis=1, keepdims=True)  # (N, 1)
    stretch = (dx_hat * x_hat).mean(axis=1, keepdims=True)  # (N, 1)
    return (dx_hat - shift - x_hat * stretch) * ctx.rstd, dgain, dbias
