"""The MLP of a block: widen each token's row, bend it, and narrow it again. Tokens do not mix here.

    y = gelu(x · W_fc + b_fc) · W_proj + b_proj        D -> F -> D, with F = 4·D in GPT-2

Vaswani et al. 2017, arXiv:1706.03762, equation 2, with GELU in place of ReLU.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..backend import Array
from ..kernels import replaceable
from .gelu import GeluContext, gelu, gelu_backward
from .linear import LinearContext, linear, linear_backward


class MLPContext(NamedTuple):
    """The contexts of the three steps, in the order in which they ran."""

    c_fc: LinearContext
    gelu: GeluContext
    c_proj: LinearContext


@replaceable
def mlp(x: Array, weights: Mapping[str, Array]) -> tuple[Array, MLPContext]:
    """(N, D) -> (N, D). `weights`: c_fc.weight (D, F), c_fc.bias, c_proj.weight (F, D), c_proj.bias"""
    wide, c_fc = linear(x, weights["c_fc.weight"], weights["c_fc.bias"])  # (N, F)
    bent, gelu_ctx = gelu(wide)  # (N, F)
    y, c_proj = linear(bent, weights["c_proj.weight"], weights["c_proj.bias"])  # (N, D)
    return y, MLPContext(c_fc, gelu_ctx, c_proj)


@replaceable
def mlp_backward(dy: Array, ctx: MLPContext) -> tuple[Array, dict[str, Array]]:
    """(N, D) -> dx (N, D), gradients under the names of the weights"""
    dbent, dproj_weight, dproj_bias = linear_backward(dy, ctx.c_proj)  # (N, F)  y = linear(bent)
    dwide = gelu_backward(dbent, ctx.gelu)  # (N, F)  bent = gelu(wide)
    dx, dfc_weight, dfc_bias = linear_backward(dwide, ctx.c_fc)  # (N, D)  wide = linear(x)
    return dx, {
        "c_fc.weight": dfc_weight,
        "c_fc.bias": dfc_bias,
        "c_proj.weight": dproj_weight,
        "c_proj.bias": dproj_bias,
    }
