"""Pooling: from one row for each token to one row for each sentence.

    mean            y = Σ_t x_t / T
    weighted_mean   y = Σ_t w_t x_t        w_t = t / (1 + 2 + … + T), t counted from 1
    last            y = x_T
    max             y_d = max_t x_td, each column by itself

The position-weighted mean is Muennighoff 2022 (SGPT), arXiv:2202.08904: in a causal model late tokens have
seen more, so they count for more. The first three are one formula, a weighted sum of rows, and differ only in
the weights. A sentence without tokens gives a zero row.
"""

from typing import NamedTuple

import numpy as np

from ..backend import Array, array_module, asarray
from ..errors import UsageError
from ..kernels import replaceable
from ..ragged import TokenBatch

POOLINGS = ("mean", "weighted_mean", "last", "max")


class PoolingContext(NamedTuple):
    """What backward needs: how much each row counted, or, for max, which row won each column."""

    batch: TokenBatch
    weights: Array | None  # (N, 1) for the weighted sums
    winners: Array | None  # (B, D) for max: the row of x that won; −1 for a sentence without tokens


@replaceable
def pooling(
    x: Array, batch: TokenBatch, kind: str = "mean", skipped: int = 0
) -> tuple[Array, PoolingContext]:
    """(N, D) -> (B, D). Raises UsageError for a kind that is not in POOLINGS.

    skipped   tokens that stand before each sentence's first row and are left out, such as a prompt's;
              weighted_mean counts on after them, as in sentence-transformers
    """
    if kind not in POOLINGS:
        raise UsageError(f"unknown pooling {kind!r}: use one of {', '.join(POOLINGS)}")
    xp = array_module(x)
    y = xp.zeros((batch.B, x.shape[1]), dtype=x.dtype)  # (B, D)
    if kind == "max":
        winners = xp.full((batch.B, x.shape[1]), -1)  # (B, D)
        for group in batch.groups_of_equal_length():
            rows = x[group.rows].reshape(group.n, group.T, -1)  # (n, T, D)
            first = xp.arange(batch.N)[group.rows].reshape(group.n, group.T)[:, :1]  # (n, 1)
            winners[group.sentences] = first + rows.argmax(axis=1)  # (n, D)
            y[group.sentences] = rows.max(axis=1)  # (n, D)
        return y, PoolingContext(batch, None, winners)

    weights = asarray(token_weights(batch, kind, skipped)[:, None], xp, x.dtype)  # (N, 1)
    weighted = x * weights  # (N, D)
    for group in batch.groups_of_equal_length():
        rows = weighted[group.rows].reshape(group.n, group.T, -1)  # (n, T, D)
        y[group.sentences] = rows.sum(axis=1)  # (n, D)
    return y, PoolingContext(batch, weights, None)


@replaceable
def pooling_backward(dy: Array, ctx: PoolingContext) -> Array:
    """(B, D) -> dx (N, D)"""
    xp = array_module(dy)
    batch = ctx.batch
    if ctx.winners is not None:
        dx = xp.zeros((batch.N, dy.shape[1]), dtype=dy.dtype)  # (N, D)
        b, d = xp.nonzero(ctx.winners >= 0)  # each (B'·D,), B' sentences that have tokens
        dx[ctx.winners[b, d], d] = dy[b, d]  # y_bd = x[winner, d]: only the winner hears of it
        return dx
    sentence_of = asarray(np.repeat(np.arange(batch.B), batch.lengths), xp)  # (N,)
    return dy[sentence_of] * ctx.weights  # (N, D)  y = Σ w · x: a row hears as loudly as it spoke


def token_weights(batch: TokenBatch, kind: str, skipped: int = 0) -> np.ndarray:
    """How much each token counts in its sentence: (N,) float64 on the host, summing to 1 in each sentence."""
    T = np.repeat(batch.lengths, batch.lengths)  # (N,) the length of each token's sentence
    t = np.arange(batch.N) - np.repeat(batch.offsets[:-1], batch.lengths) + 1  # (N,) from 1 to T
    if kind == "mean":
        return 1.0 / T
    if kind == "weighted_mean":
        return (skipped + t) / (skipped * T + T * (T + 1) / 2)
    return (t == T).astype(np.float64)
