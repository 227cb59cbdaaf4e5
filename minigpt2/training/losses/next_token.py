"""Next-token loss: how surprised the model is by each token that follows, with the token table as the head.

    logits = hidden[rows] · wteᵀ                     rows: every token that has a next one in its sentence
    loss   = − mean_m log softmax(logits_m)[next token of row m]

Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". It is `layers.cross_entropy` over
the tied logits, but never holds all of them: M × V numbers are by far the largest array of the whole model
(4096 tokens of the published vocabulary: 0.8 GB in float32, and as much again for the probabilities). The
logits of one chunk of rows are made, used and dropped before the next; backward makes them again: one product
more, in return for the memory.

Inputs: hidden (N, D), what leaves the model; wte (V, D), the token table; the batch whose tokens these are.
Any text serves. It teaches language and not similarity: take it before one of the losses on sentence vectors.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ...backend import Array, array_module
from ...errors import UsageError
from ...half_products import factor
from ...layers import cross_entropy, cross_entropy_backward
from ...model import next_tokens
from ...ragged import TokenBatch


class NextTokenContext(NamedTuple):
    """What backward needs to make the logits again, chunk by chunk; hidden is what ran through the head."""

    hidden: Array  # (N, D)
    wte: Array  # (V, D) a view of the parameters
    rows: Array  # (M,) the rows of hidden that have a next token
    targets: Array  # (M,) the ids of those next tokens
    chunk_rows: int


def next_token(
    hidden: Array, wte: Array, batch: TokenBatch, chunk_rows: int = 512
) -> tuple[Array, NextTokenContext]:
    """(N, D), (V, D) -> the mean loss in nats, shape ()

    chunk_rows   how many rows have their logits at one time: chunk_rows · V numbers, and the like for what is
                 made of them

    Raises ValueError if no sentence has two tokens, UsageError for a chunk of less than one row.
    """
    if chunk_rows < 1:
        raise UsageError(f"chunk_rows is {chunk_rows}: a chunk needs at least one row")
    rows, targets = next_tokens(batch)  # (M,), (M,)
    M = len(rows)
    table = factor(wte)  # (V, D)
    loss = 0.0
    for chunk in _chunks(M, chunk_rows):
        logits = factor(hidden[rows[chunk]]) @ table.T  # (m, V)
        loss_of_chunk = cross_entropy(logits, targets[chunk])[0]  # ()
        loss = loss + loss_of_chunk * (len(logits) / M)  # ()
    return loss, NextTokenContext(hidden, wte, rows, targets, chunk_rows)


def next_token_backward(dloss: float | Array, ctx: NextTokenContext) -> tuple[Array, Array]:
    """() -> dhidden (N, D), dwte (V, D)"""
    xp = array_module(ctx.hidden)
    M = len(ctx.rows)
    dhidden = xp.zeros_like(ctx.hidden)  # (N, D)  a last token has no next one and hears nothing
    dwte = xp.zeros_like(ctx.wte)  # (V, D)
    table = factor(ctx.wte)  # (V, D)
    for chunk in _chunks(M, ctx.chunk_rows):
        hidden = factor(ctx.hidden[ctx.rows[chunk]])  # (m, D)
        logits = hidden @ table.T  # (m, V)  made again
        _, cross_entropy_ctx = cross_entropy(logits, ctx.targets[chunk])
        dlogits = cross_entropy_backward(dloss * (len(logits) / M), cross_entropy_ctx)  # (m, V)  Σ m/M · loss
        dlogits = factor(dlogits)  # (m, V)  once for both products
        dhidden[ctx.rows[chunk]] = dlogits @ table  # (m, D)  hidden · wteᵀ; each row stands there once
        dwte += dlogits.T @ hidden  # (V, D)  hidden · wteᵀ
    return dhidden, dwte


def _chunks(M: int, chunk_rows: int) -> Iterator[slice]:
    return (slice(start, min(start + chunk_rows, M)) for start in range(0, M, chunk_rows))
