"""Pooling by weights on a CPU: each sentence's rows lie together, so one pass sums them all."""

import numpy as np

from ..layers import pooling, pooling_backward
from ..layers.pooling import PoolingContext, token_weights
from ..ragged import TokenBatch
from . import kernel
from .buffers import empty
from .numpy_elementwise import all_float32


@kernel(pooling, np.ndarray)
def pooling_kernel(
    x: np.ndarray, batch: TokenBatch, kind: str = "mean", skipped: int = 0
) -> tuple[np.ndarray, PoolingContext]:
    if not all_float32(x) or kind not in ("mean", "weighted_mean"):
        return NotImplemented
    weights = token_weights(batch, kind, skipped)[:, None].astype(np.float32)  # (N, 1)
    weighted = np.multiply(x, weights, out=empty(x.shape))  # (N, D)
    y = empty((batch.B, x.shape[1]))  # (B, D)
    filled = np.flatnonzero(batch.lengths)  # (B',) the sentences that have tokens
    if len(filled) == batch.B and batch.B:
        np.add.reduceat(weighted, batch.offsets[:-1], axis=0, out=y)
    else:
        y[:] = 0.0
        if len(filled):
            y[filled] = np.add.reduceat(weighted, batch.offsets[filled], axis=0)
    return y, PoolingContext(batch, weights, None)


@kernel(pooling_backward, np.ndarray)
def pooling_backward_kernel(dy: np.ndarray, ctx: PoolingContext) -> np.ndarray:
    if ctx.winners is not None or not all_float32(dy, ctx.weights):
        return NotImplemented
    batch = ctx.batch
    sentence_of = np.repeat(np.arange(batch.B), batch.lengths)  # (N,)
    dx = empty((batch.N, dy.shape[1]))  # (N, D)
    np.take(dy, sentence_of, axis=0, out=dx, mode="clip")
    dx *= ctx.weights
    return dx
