"""The MLP and a whole block on a CPU: the steps between two places where rows meet, one task for some rows.

Layernorm, linear layers, GELU and the residual stream take each row by itself, so 300 rows go through all of
them before the next 300: what one step makes, the next finds in the cache. Rows meet in attention and in the
weights' gradients alone. A block forward is three rounds of tasks, and backward four:

    forward     ln_1, c_attn by rows | attention by sentences | c_proj, + x, ln_2, mlp, + h by rows
    backward    mlp, ln_2, + dy, c_proj by rows | attention by sentences, and the weights' gradients |
                c_attn, ln_1, + dh by rows, and the rest of the weights' gradients
"""

from collections.abc import Mapping

import numpy as np

from ..config import GPT2Config
from ..layers import block, block_backward, mlp, mlp_backward
from ..layers.attention import AttentionContext
from ..layers.block import BlockContext
from ..layers.dropout import DropoutContext, Generator
from ..layers.gelu import GeluContext
from ..layers.layernorm import LayerNormContext
from ..layers.linear import LinearContext
from ..layers.mlp import MLPContext
from ..ragged import TokenBatch
from . import kernel
from .buffers import empty
from .numpy_attention import attend_backward_tasks, attend_tasks
from .numpy_elementwise import (
    all_float32,
    filled,
    gelu_backward_rows,
    gelu_rows,
    layernorm_backward_rows,
    layernorm_rows,
)
from .numpy_linear import linear_rows, product_blocks, weight_gradient
from .rows import Task, call, for_each

_NOT_DROPPED = DropoutContext(None, 1.0)


class _MLP:
    """The arrays of one run of the MLP, and its steps for some of the rows."""

    def __init__(self, x: np.ndarray, weights: Mapping[str, np.ndarray], prefix: str = "") -> None:
        """x (N, D) may be filled later, before the rows are run."""
        self.weight_fc, self.bias_fc = weights[prefix + "c_fc.weight"], weights[prefix + "c_fc.bias"]
        self.weight_proj, self.bias_proj = weights[prefix + "c_proj.weight"], weights[prefix + "c_proj.bias"]
        N, F = len(x), self.weight_fc.shape[1]
        self.x, self.wide, self.bent = x, empty((N, F)), empty((N, F))

    def run(self, rows: slice, y: np.ndarray) -> None:
        """Fill the rows y (n, D)."""
        wide, bent = self.wide[rows], self.bent[rows]  # (n, F), (n, F)
        np.matmul(self.x[rows], self.weight_fc, out=wide)
        gelu_rows(wide, bent, self.bias_fc)
        linear_rows(bent, self.weight_proj, self.bias_proj, y)

    def context(self) -> MLPContext:
        return MLPContext(
            LinearContext(self.x, self.weight_fc),
            GeluContext(self.wide),
            LinearContext(self.bent, self.weight_proj),
        )


class _MLPBackward:
    """The arrays of one way back through the MLP, its steps for some of the rows, and what comes after."""

    def __init__(self, dy: np.ndarray, ctx: MLPContext, tasks: int) -> None:
        """dy (N, D); `tasks`: how many parts the rows come in, each with sums of its own."""
        self.dy, self.ctx = dy, ctx
        self.dwide = empty(ctx.gelu.x.shape)  # (N, F)
        self.sums_fc = empty((tasks, self.dwide.shape[1]))  # (tasks, F)
        self.sums_proj = empty((tasks, dy.shape[1]))  # (tasks, D)

    def run(self, i: int, rows: slice, dx: np.ndarray) -> None:
        """Fill the rows dx (n, D), as task i."""
        dy, dwide, ctx = self.dy[rows], self.dwide[rows], self.ctx  # (n, D), (n, F)
        ones = filled(len(dy), 1.0)  # (n,)
        np.matmul(dy, ctx.c_proj.weight.T, out=dwide)  # (n, F)  y = linear(bent)
        gelu_backward_rows(dwide, ctx.gelu.x[rows], ctx.c_proj.x[rows], dwide)  # bent = gelu(wide)
        np.matmul(dwide, ctx.c_fc.weight.T, out=dx)  # (n, D)  wide = linear(x)
        np.matmul(ones, dy, out=self.sums_proj[i])
        np.matmul(ones, dwide, out=self.sums_fc[i])

    def gradients(self) -> tuple[dict[str, np.ndarray], list[Task]]:
        """When all rows are done: arrays for the gradients, and the tasks that fill those of the weights"""
        dfc, fc_tasks = weight_gradient(self.ctx.c_fc.x, self.dwide)  # (D, F)
        dproj, proj_tasks = weight_gradient(self.ctx.c_proj.x, self.dy)  # (F, D)
        return {
            "c_fc.weight": dfc,
            "c_fc.bias": self.sums_fc.sum(axis=0),
            "c_proj.weight": dproj,
            "c_proj.bias": self.sums_proj.sum(axis=0),
        }, [*fc_tasks, *proj_tasks]


@kernel(mlp, np.ndarray)
def mlp_kernel(x: np.ndarray, weights: Mapping[str, np.ndarray]) -> tuple[np.ndarray, MLPContext]:
    if not all_float32(x, *weights.values()) or x.ndim != 2:
        return NotImplemented
    y = empty((len(x), weights["c_proj.weight"].shape[1]))  # (N, D)
    run = _MLP(x, weights)
    for_each(lambda rows: run.run(rows, y[rows]), product_blocks(len(x)))
    return y, run.context()


@kernel(mlp_backward, np.ndarray)
def mlp_backward_kernel(dy: np.ndarray, ctx: MLPContext) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    if not all_float32(dy, *ctx.c_fc, *ctx.gelu, *ctx.c_proj):
        return NotImplemented
    parts = product_blocks(len(dy))
    dx = empty(ctx.c_fc.x.shape)  # (N, D)
    back = _MLPBackward(dy, ctx, len(parts))
    for_each(lambda i: back.run(i, parts[i], dx[parts[i]]), range(len(parts)))
    gradients, tasks = back.gradients()
    for_each(call, tasks)
    return dx, gradients


@kernel(block, np.ndarray)
def block_kernel(
    x: np.ndarray,
    weights: Mapping[str, np.ndarray],
    batch: TokenBatch,
    config: GPT2Config,
    rng: Generator | None = None,
) -> tuple[np.ndarray, BlockContext]:
    drops = rng is not None and config.resid_pdrop > 0.0
    if drops or not all_float32(x, *weights.values()):
        return NotImplemented
    eps = config.layer_norm_epsilon
    gain_1, bias_1 = weights["ln_1.weight"], weights["ln_1.bias"]  # (D,), (D,)
    gain_2, bias_2 = weights["ln_2.weight"], weights["ln_2.bias"]  # (D,), (D,)
    weight_attn, bias_attn = weights["attn.c_attn.weight"], weights["attn.c_attn.bias"]  # (D, 3·D), (3·D,)
    weight_proj, bias_proj = weights["attn.c_proj.weight"], weights["attn.c_proj.bias"]  # (D, D), (D,)
    N, D = x.shape
    a, h, c, y = (empty((N, D)) for _ in range(4))
    mean_1, rstd_1, mean_2, rstd_2 = (empty((N, 1)) for _ in range(4))
    qkv = empty((N, 3 * D))
    run = _MLP(c, weights, "mlp.")
    parts = product_blocks(N)

    def to_attention(rows: slice) -> None:
        layernorm_rows(x[rows], gain_1, bias_1, eps, a[rows], mean_1[rows], rstd_1[rows])
        linear_rows(a[rows], weight_attn, bias_attn, qkv[rows])

    def from_attention(rows: slice) -> None:
        linear_rows(z[rows], weight_proj, bias_proj, h[rows])
        h[rows] += x[rows]
        layernorm_rows(h[rows], gain_2, bias_2, eps, c[rows], mean_2[rows], rstd_2[rows])
        run.run(rows, y[rows])
        y[rows] += h[rows]

    for_each(to_attention, parts)
    z, attend_ctx, tasks = attend_tasks(qkv, batch, config.H, config.causal, config.attn_pdrop, rng)  # (N, D)
    for_each(call, tasks)
    for_each(from_attention, parts)
    attention_ctx = AttentionContext(LinearContext(a, weight_attn), attend_ctx, LinearContext(z, weight_proj))
    ln_1 = LayerNormContext(x, mean_1, rstd_1, gain_1)
    ln_2 = LayerNormContext(h, mean_2, rstd_2, gain_2)
    return y, BlockContext(ln_1, attention_ctx, _NOT_DROPPED, ln_2, run.context(), _NOT_DROPPED)


@kernel(block_backward, np.ndarray)
def block_backward_kernel(dy: np.ndarray, ctx: BlockContext) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    attn = ctx.attn
    dropped = ctx.attn_dropout.keep is not None or ctx.mlp_dropout.keep is not None
    arrays = [dy, *ctx.ln_1, *attn.c_attn, attn.attend.qkv, *attn.c_proj, *ctx.ln_2]
    arrays += [*ctx.mlp.c_fc, *ctx.mlp.gelu, *ctx.mlp.c_proj]
    if dropped or not all_float32(*arrays):
        return NotImplemented
    N, D = dy.shape
    parts = product_blocks(N)
    dh, dz, dx = (empty((N, D)) for _ in range(3))
    sums_1, sums_2 = empty((len(parts), 2, D)), empty((len(parts), 2, D))
    sums_attn, sums_proj = empty((len(parts), 3 * D)), empty((len(parts), D))
    back = _MLPBackward(dy, ctx.mlp, len(parts))

    def to_attention(i: int) -> None:
        rows = parts[i]
        d = dh[rows]  # (n, D)
        back.run(i, rows, d)  # d = mlp(c)
        layernorm_backward_rows(d, ctx.ln_2, rows, d, sums_2[i], dy[rows])  # c = layernorm(h), y = h + …
        np.matmul(d, attn.c_proj.weight.T, out=dz[rows])  # (n, D)  h = x + linear(z)
        np.matmul(filled(len(d), 1.0), d, out=sums_proj[i])

    def from_attention(i: int) -> None:
        rows = parts[i]
        d, dqkv_rows = dx[rows], dqkv[rows]  # (n, D), (n, 3·D)
        np.matmul(dqkv_rows, attn.c_attn.weight.T, out=d)  # (n, D)  qkv = linear(a)
        np.matmul(filled(len(d), 1.0), dqkv_rows, out=sums_attn[i])
        layernorm_backward_rows(d, ctx.ln_1, rows, d, sums_1[i], dh[rows])  # a = layernorm(x), h = x + …

    for_each(to_attention, range(len(parts)))
    mlp_gradients, mlp_tasks = back.gradients()
    dproj, proj_tasks = weight_gradient(attn.c_proj.x, dh)  # (D, D)
    dqkv, attend_tasks = attend_backward_tasks(dz, attn.attend)  # (N, 3·D)
    for_each(call, [*mlp_tasks, *proj_tasks, *attend_tasks])
    dattn, attn_tasks = weight_gradient(attn.c_attn.x, dqkv)  # (D, 3·D)
    rows_tasks = [_task(from_attention, i) for i in range(len(parts))]
    for_each(call, [*attn_tasks, *rows_tasks])

    dgain_1, dbias_1 = sums_1.sum(axis=0)  # (D,), (D,)
    dgain_2, dbias_2 = sums_2.sum(axis=0)  # (D,), (D,)
    gradients = {"ln_1.weight": dgain_1, "ln_1.bias": dbias_1, "ln_2.weight": dgain_2, "ln_2.bias": dbias_2}
    gradients |= {
        "attn.c_attn.weight": dattn,
        "attn.c_attn.bias": sums_attn.sum(axis=0),
        "attn.c_proj.weight": dproj,
        "attn.c_proj.bias": sums_proj.sum(axis=0),
    }
    gradients |= {f"mlp.{name}": gradient for name, gradient in mlp_gradients.items()}
    return dx, gradients


def _task(run, i: int) -> Task:
    return lambda: run(i)
