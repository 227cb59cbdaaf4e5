"""A block that keeps nothing but its input, and runs once more when its gradient is asked for.

    y  = block(x)                               the contexts are dropped
    dx = block_backward(dy, ctx of block(x))    and made anew, one block at a time

Chen et al. 2016, arXiv:1604.06174, "activation checkpointing". A block's contexts are about 20 times as large
as its input, most of it attention's patterns and the MLP's wide rows, so a deep model trains in a fraction of
the memory for one more forward pass: a third more work. Dropout must drop the same values in both runs, so
the context also holds a generator that stands where the first run began.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..backend import Array
from ..config import GPT2Config
from ..errors import UsageError
from ..ragged import TokenBatch
from .block import block, block_backward
from .dropout import Generator


class RecomputedBlockContext(NamedTuple):
    """The arguments of the run that has to be repeated."""

    x: Array  # (N, D) the input; the residual stream holds it anyway
    weights: Mapping[str, Array]  # views of the parameters, not copies
    batch: TokenBatch
    config: GPT2Config
    rng: Generator | None  # a copy that is never drawn from: backward copies it again


def recomputed_block(
    x: Array,
    weights: Mapping[str, Array],
    batch: TokenBatch,
    config: GPT2Config,
    rng: Generator | None = None,
) -> tuple[Array, RecomputedBlockContext]:
    """(N, D) -> (N, D), as `block`. Raises UsageError for an `rng` whose draws cannot be repeated."""
    if rng is not None and not hasattr(rng, "copy"):
        raise UsageError(
            f"recomputation needs dropout's masks a second time, which {type(rng).__name__} cannot give: "
            f"use training.randomness.CountedGenerator"
        )
    ctx = RecomputedBlockContext(x, weights, batch, config, None if rng is None else rng.copy())
    return block(x, weights, batch, config, rng)[0], ctx  # (N, D)


def recomputed_block_backward(dy: Array, ctx: RecomputedBlockContext) -> tuple[Array, dict[str, Array]]:
    """(N, D) -> dx (N, D), gradients under the names of the weights"""
    rng = None if ctx.rng is None else ctx.rng.copy()
    _, block_ctx = block(ctx.x, ctx.weights, ctx.batch, ctx.config, rng)  # (N, D)
    return block_backward(dy, block_ctx)  # (N, D)  y = block(x)
