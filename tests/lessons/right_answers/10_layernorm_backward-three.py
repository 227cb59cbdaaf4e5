"""Another right way."""

import numpy as np


def layernorm_backward(dy, ctx):
    _N, D = ctx.x.shape
    c = ctx.x - ctx.mean
    dxh = dy * ctx.gain
    dvar = (dxh * c).sum(1, keepdims=True) * -0.5 * ctx.rstd**3
    dmean = -(dxh * ctx.rstd).sum(1, keepdims=True)
    dx = dxh * ctx.rstd + dvar * 2 * c / D + dmean / D
    return [dx, np.einsum("nd,nd->d", dy, c * ctx.rstd), np.einsum("nd->d", dy)]
