"""One transformer block: two sublayers, each reading the residual stream, normalised, and adding to it.

    h = x + dropout(attention(layernorm(x)))        tokens exchange information
    y = h + dropout(mlp(layernorm(h)))              each token digests it by itself

Radford et al. 2019, section 2.3: the layernorm stands before each sublayer, so x reaches y unchanged but for
what is added, and the gradient has that same straight way back.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..backend import Array
from ..config import GPT2Config
from ..kernels import replaceable
from ..ragged import TokenBatch
from .attention import AttentionContext, attention, attention_backward
from .dropout import DropoutContext, Generator, dropout, dropout_backward
from .layernorm import LayerNormContext, layernorm, layernorm_backward
from .mlp import MLPContext, mlp, mlp_backward


class BlockContext(NamedTuple):
    """The contexts of the six steps, in the order in which they ran. ln_1.x is the input x, ln_2.x is h."""

    ln_1: LayerNormContext
    attn: AttentionContext
    attn_dropout: DropoutContext
    ln_2: LayerNormContext
    mlp: MLPContext
    mlp_dropout: DropoutContext


@replaceable
def block(
    x: Array,
    weights: Mapping[str, Array],
    batch: TokenBatch,
    config: GPT2Config,
    rng: Generator | None = None,
) -> tuple[Array, BlockContext]:
    """(N, D) -> (N, D). `weights`: one block's, as `parameters.subset("h.0.")`; dropout needs `rng`"""
    eps, rate = config.layer_norm_epsilon, config.resid_pdrop

    a, ln_1 = layernorm(x, weights["ln_1.weight"], weights["ln_1.bias"], eps)  # (N, D)
    b, attn = attention(a, _part(weights, "attn."), batch, config.H, config.causal, config.attn_pdrop, rng)
    b, attn_dropout = dropout(b, rate, rng)  # (N, D)
    h = x + b  # (N, D)

    c, ln_2 = layernorm(h, weights["ln_2.weight"], weights["ln_2.bias"], eps)  # (N, D)
    d, mlp_ctx = mlp(c, _part(weights, "mlp."))  # (N, D)
    d, mlp_dropout = dropout(d, rate, rng)  # (N, D)
    y = h + d  # (N, D)
    return y, BlockContext(ln_1, attn, attn_dropout, ln_2, mlp_ctx, mlp_dropout)


@replaceable
def block_backward(dy: Array, ctx: BlockContext) -> tuple[Array, dict[str, Array]]:
    """(N, D) -> dx (N, D), gradients under the names of the weights"""
    dd = dropout_backward(dy, ctx.mlp_dropout)  # (N, D)  y = h + dropout(d)
    dc, mlp_gradients = mlp_backward(dd, ctx.mlp)  # (N, D)  d = mlp(c)
    dh, dgain_2, dbias_2 = layernorm_backward(dc, ctx.ln_2)  # (N, D)  c = layernorm(h)
    dh = dh + dy  # (N, D)  y = h + …: h is used twice, so its gradients add

    db = dropout_backward(dh, ctx.attn_dropout)  # (N, D)  h = x + dropout(b)
    da, attn_gradients = attention_backward(db, ctx.attn)  # (N, D)  b = attention(a)
    dx, dgain_1, dbias_1 = layernorm_backward(da, ctx.ln_1)  # (N, D)  a = layernorm(x)
    dx = dx + dh  # (N, D)  h = x + …: x is used twice

    gradients = {"ln_1.weight": dgain_1, "ln_1.bias": dbias_1, "ln_2.weight": dgain_2, "ln_2.bias": dbias_2}
    gradients |= {f"attn.{name}": gradient for name, gradient in attn_gradients.items()}
    gradients |= {f"mlp.{name}": gradient for name, gradient in mlp_gradients.items()}
    return dx, gradients


def _part(weights: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name[len(prefix) :]: weight for name, weight in weights.items() if name.startswith(prefix)}
