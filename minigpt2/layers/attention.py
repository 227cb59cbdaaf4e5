"""Multi-head self-attention: every token gathers from the tokens it may see, head by head.

    q, k, v = split(x · W_qkv + b_qkv)                      three vectors of width K for each token and head
    scores  = q · kᵀ / sqrt(K)                              how well token i's query meets token j's key
    pattern = softmax(scores), with scores[i, j] = −inf where i may not see j
    z       = pattern · v                                   the weighted mean of the values
    y       = merge(z) · W_out + b_out

In training, dropout may zero entries of the pattern before they weigh the values.

Vaswani et al. 2017, arXiv:1706.03762, equation 1 and section 3.2.2. In causal attention token i sees the
tokens j ≤ i; in bidirectional attention it sees all. Sentences never see each other: they are taken in
groups of equal length, n sentences of T tokens at a time, so there is no padding to hide.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..backend import Array, array_module
from ..kernels import replaceable
from ..ragged import Group, TokenBatch
from .dropout import DropoutContext, Generator, dropout, dropout_again, dropout_backward
from .linear import LinearContext, linear, linear_backward
from .softmax import SoftmaxContext, softmax, softmax_backward


class AttendContext(NamedTuple):
    """What backward needs. q, k and v are views of qkv or cheap to gather again, so only qkv is kept."""

    qkv: Array  # (N, 3·D)
    batch: TokenBatch
    heads: int
    softmaxes: list[SoftmaxContext]  # for each group, the pattern (n, H, T, T)
    dropouts: list[DropoutContext]  # for each group, which entries of the pattern were kept


class AttentionContext(NamedTuple):
    """The contexts of the three steps, in the order in which they ran."""

    c_attn: LinearContext
    attend: AttendContext
    c_proj: LinearContext


@replaceable
def attend(
    qkv: Array,
    batch: TokenBatch,
    heads: int,
    causal: bool = True,
    rate: float = 0.0,
    rng: Generator | None = None,
) -> tuple[Array, AttendContext]:
    """(N, 3·D) -> z (N, D): the part of attention that mixes tokens, without its two linear layers"""
    xp = array_module(qkv)
    D = qkv.shape[1] // 3
    z = xp.empty((qkv.shape[0], D), dtype=qkv.dtype)  # (N, D)
    softmaxes, dropouts = [], []
    for group, q, k, v in heads_of_groups(qkv, batch, heads):  # each (n, H, T, K)
        scores = masked_scores(q, k, causal)  # (n, H, T, T)
        pattern, softmax_ctx = softmax(scores)  # (n, H, T, T)
        kept, dropout_ctx = dropout(pattern, rate, rng)  # (n, H, T, T)
        gathered = kept @ v  # (n, H, T, K)
        z[group.rows] = merge_heads(gathered)  # (n·T, D)
        softmaxes.append(softmax_ctx)
        dropouts.append(dropout_ctx)
    return z, AttendContext(qkv, batch, heads, softmaxes, dropouts)


@replaceable
def attend_backward(dz: Array, ctx: AttendContext) -> Array:
    """(N, D) -> dqkv (N, 3·D)"""
    xp = array_module(dz)
    dqkv = xp.empty_like(ctx.qkv)  # (N, 3·D)
    K = dz.shape[1] // ctx.heads
    groups = heads_of_groups(ctx.qkv, ctx.batch, ctx.heads)
    for (group, q, k, v), softmax_ctx, dropout_ctx in zip(groups, ctx.softmaxes, ctx.dropouts, strict=True):
        dgathered = split_heads(dz[group.rows], group, ctx.heads)  # (n, H, T, K)  z[rows] = merge_heads(…)
        kept = dropout_again(softmax_ctx.y, dropout_ctx)  # (n, H, T, T)
        dv = kept.swapaxes(2, 3) @ dgathered  # (n, H, T, K)  gathered = kept @ v
        dkept = dgathered @ v.swapaxes(2, 3)  # (n, H, T, T)  gathered = kept @ v
        dpattern = dropout_backward(dkept, dropout_ctx)  # (n, H, T, T)  kept = dropout(pattern)
        # A hidden score had the weight 0, so its gradient is 0 as well and the mask needs no backward.
        dscores = softmax_backward(dpattern, softmax_ctx)  # (n, H, T, T)  pattern = softmax(scores)
        dproduct = dscores / math.sqrt(K)  # (n, H, T, T)  scores = q @ kᵀ / sqrt(K)
        dq = dproduct @ k  # (n, H, T, K)  q @ kᵀ
        dk = dproduct.swapaxes(2, 3) @ q  # (n, H, T, K)  q @ kᵀ
        merged = [merge_heads(d) for d in (dq, dk, dv)]  # 3 × (n·T, D)
        dqkv[group.rows] = xp.concatenate(merged, axis=1)  # (n·T, 3·D)  q, k, v = split(qkv[rows])
    return dqkv


def attention(
    x: Array,
    weights: Mapping[str, Array],
    batch: TokenBatch,
    heads: int,
    causal: bool = True,
    rate: float = 0.0,
    rng: Generator | None = None,
) -> tuple[Array, AttentionContext]:
    """(N, D) -> (N, D). `weights`: c_attn.weight (D, 3·D), c_attn.bias, c_proj.weight (D, D), c_proj.bias"""
    qkv, c_attn = linear(x, weights["c_attn.weight"], weights["c_attn.bias"])  # (N, 3·D)
    z, attend_ctx = attend(qkv, batch, heads, causal, rate, rng)  # (N, D)
    y, c_proj = linear(z, weights["c_proj.weight"], weights["c_proj.bias"])  # (N, D)
    return y, AttentionContext(c_attn, attend_ctx, c_proj)


def attention_backward(dy: Array, ctx: AttentionContext) -> tuple[Array, dict[str, Array]]:
    """(N, D) -> dx (N, D), gradients under the names of the weights"""
    dz, dproj_weight, dproj_bias = linear_backward(dy, ctx.c_proj)  # (N, D)  y = linear(z)
    dqkv = attend_backward(dz, ctx.attend)  # (N, 3·D)  z = attend(qkv)
    dx, dattn_weight, dattn_bias = linear_backward(dqkv, ctx.c_attn)  # (N, D)  qkv = linear(x)
    return dx, {
        "c_attn.weight": dattn_weight,
        "c_attn.bias": dattn_bias,
        "c_proj.weight": dproj_weight,
        "c_proj.bias": dproj_bias,
    }


def split_heads(x: Array, group: Group, heads: int) -> Array:
    """(n·T, D) -> (n, H, T, K): head h of a token is columns h·K to (h+1)·K of its row"""
    K = x.shape[1] // heads
    return x.reshape(group.n, group.T, heads, K).transpose(0, 2, 1, 3)  # (n, H, T, K)


def merge_heads(x: Array) -> Array:
    """(n, H, T, K) -> (n·T, D): the heads of a token side by side again"""
    n, H, T, K = x.shape
    return x.transpose(0, 2, 1, 3).reshape(n * T, H * K)  # (n·T, D)


def masked_scores(q: Array, k: Array, causal: bool) -> Array:
    """(n, H, T, K), (n, H, T, K) -> (n, H, T, T), −inf where a query may not see a key"""
    xp = array_module(q)
    scores = q @ k.swapaxes(2, 3) / math.sqrt(q.shape[-1])  # (n, H, T, T)
    if not causal:
        return scores
    sees = xp.tri(q.shape[2], dtype=bool)  # (T, T) row i is True at the columns j ≤ i
    return xp.where(sees, scores, -math.inf)  # (n, H, T, T)


def heads_of_groups(qkv: Array, batch: TokenBatch, heads: int) -> Iterator[tuple[Group, Array, Array, Array]]:
    """For each group of sentences of equal length: the group, q, k, v, each (n, H, T, K)"""
    D = qkv.shape[1] // 3
    for group in batch.groups_of_equal_length():
        rows = qkv[group.rows]  # (n·T, 3·D)
        q, k, v = (split_heads(rows[:, i * D : (i + 1) * D], group, heads) for i in range(3))
        yield group, q, k, v
