"""From token rows to sentence vectors as the encoder makes them, the way back, and all poolings side by side.

    y = pooling(x[rows])        rows: all but those of a prompt that the model leaves out of its pooling

`encode` does the same inside; here it is a layer with a backward, for any (N, D) rows.
"""

from typing import NamedTuple

import numpy as np

from ..backend import Array, array_module, asarray
from ..encoder import Encoder
from ..layers.normalize import normalize
from ..layers.pooling import POOLINGS, PoolingContext, pooling, pooling_backward
from ..ragged import FlatSentences, TokenBatch
from .look import Look


class PooledContext(NamedTuple):
    """What backward needs: which of the N rows were pooled, and pooling's own context."""

    rows: Array | slice  # (N',)
    N: int
    pooling: PoolingContext


def pooled(
    encoder: Encoder, x: Array, batch: TokenBatch, kind: str | None = None, skipped: int | None = None
) -> tuple[Array, PooledContext]:
    """(N, D) -> (B, D), not normalised.

    kind      a pooling other than the model's own
    skipped   rows of each sentence that are left out, in the place of those of the prompt

    `batch` holds whole texts, the model's default prompt in front, as `look` reads them. Raises UsageError
    for an unknown kind.
    """
    N, xp = len(x), array_module(x)
    rows: Array | slice = slice(None)
    if skipped is None:
        skipped = 0 if encoder.settings.include_prompt else encoder.token_ids([])[1]
    if skipped:
        positions = np.arange(N) - np.repeat(batch.offsets[:-1], batch.lengths)  # (N,)
        kept = np.flatnonzero(positions >= skipped)  # (N',)
        lengths = np.maximum(batch.lengths - skipped, 0)  # (B,)
        rows = asarray(kept, xp)
        # Pooling asks where a sentence begins and ends, not what its ids are.
        batch = TokenBatch(FlatSentences(np.zeros_like(kept), lengths), xp)
    y, ctx = pooling(x[rows], batch, kind or encoder.settings.pooling, skipped)  # (B, D)
    return y, PooledContext(rows, N, ctx)


def pooled_backward(dy: Array, ctx: PooledContext) -> Array:
    """(B, D) -> dx (N, D)"""
    dx = array_module(dy).zeros((ctx.N, dy.shape[1]), dtype=dy.dtype)  # (N, D)
    dx[ctx.rows] = pooling_backward(dy, ctx.pooling)  # (N', D)  y = pooling(x[rows]), each row once
    return dx


def poolings(look: Look) -> dict[str, Array]:
    """The text's vector by every pooling there is: name -> (D,), of length 1."""
    return {
        kind: normalize(pooled(look.encoder, look.hidden, look.batch, kind)[0])[0][0] for kind in POOLINGS
    }
