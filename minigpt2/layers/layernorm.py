"""Layer normalisation: give every row mean 0 and variance 1, then scale and shift it.

    x̂ = (x − mean(x)) / sqrt(var(x) + eps)        over the width D of each row
    y = gain · x̂ + bias

Ba, Kiros, Hinton 2016, arXiv:1607.06450. GPT-2 normalises before each sublayer, with eps = 1e-5.
"""

from typing import NamedTuple

from ..backend import Array, array_module
from ..kernels import replaceable


class LayerNormContext(NamedTuple):
    """What backward needs. x̂ is rebuilt from x, so only two numbers a row are added to it."""

    x: Array  # (N, D) the input; the residual stream holds it anyway
    mean: Array  # (N, 1)
    rstd: Array  # (N, 1) 1 / sqrt(var + eps)
    gain: Array  # (D,)


@replaceable
def layernorm(x: Array, gain: Array, bias: Array, eps: float = 1e-5) -> tuple[Array, LayerNormContext]:
    """(N, D), (D,), (D,) -> (N, D)"""
    xp = array_module(x)
    mean = x.mean(axis=1, keepdims=True)  # (N, 1)
    centred = x - mean  # (N, D)
    var = (centred * centred).mean(axis=1, keepdims=True)  # (N, 1)
    rstd = 1.0 / xp.sqrt(var + eps)  # (N, 1)
    y = centred * rstd * gain + bias  # (N, D)
    return y, LayerNormContext(x, mean, rstd, gain)


def normalized(ctx: LayerNormContext) -> Array:
    """x̂ (N, D), rebuilt from what the context keeps."""
    return (ctx.x - ctx.mean) * ctx.rstd  # (N, D)


@replaceable
def layernorm_backward(dy: Array, ctx: LayerNormContext) -> tuple[Array, Array, Array]:
    """(N, D) -> dx (N, D), dgain (D,), dbias (D,)"""
    x_hat = normalized(ctx)  # (N, D)
    dbias = dy.sum(axis=0)  # (D,)  y = … + bias
    dgain = (dy * x_hat).sum(axis=0)  # (D,)  y = gain · x̂ + …
    dx_hat = dy * ctx.gain  # (N, D)  y = gain · x̂ + …

    # x̂ does not change when a row is shifted or stretched, so whatever part of
    # the gradient points along "shift" (all ones) or "stretch" (x̂) is removed.
    shift = dx_hat.mean(axis=1, keepdims=True)  # (N, 1)
    stretch = (dx_hat * x_hat).mean(axis=1, keepdims=True)  # (N, 1)
    dx = (dx_hat - shift - x_hat * stretch) * ctx.rstd  # (N, D)
    return dx, dgain, dbias
