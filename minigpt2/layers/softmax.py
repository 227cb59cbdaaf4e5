"""Softmax: turn a row of scores into positive weights that sum to 1.

    y_i = exp(x_i − max(x)) / Σ_j exp(x_j − max(x))        over the last axis

Subtracting the row's maximum changes nothing (it cancels) and keeps exp from overflowing. A score of −inf
gets exactly the weight 0, which is how attention hides a token.
"""

from typing import NamedTuple

from ..backend import Array, array_module
from ..kernels import replaceable


class SoftmaxContext(NamedTuple):
    """What backward needs: the output alone says how each weight answers to each score."""

    y: Array  # (…, T)


@replaceable
def softmax(x: Array) -> tuple[Array, SoftmaxContext]:
    """(…, T) -> (…, T), each row along the last axis sums to 1; a row needs at least one finite score"""
    xp = array_module(x)
    e = xp.exp(x - x.max(axis=-1, keepdims=True))  # (…, T)
    y = e / e.sum(axis=-1, keepdims=True)  # (…, T)
    return y, SoftmaxContext(y)


@replaceable
def softmax_backward(dy: Array, ctx: SoftmaxContext) -> Array:
    """(…, T) -> dx (…, T)"""
    y = ctx.y
    # ∂y_i/∂x_j = y_i (1[i = j] − y_j): a score gains by how much its own weight is wanted
    # above the average wish, since what one weight gains the others lose.
    average = (dy * y).sum(axis=-1, keepdims=True)  # (…, 1)
    return y * (dy - average)  # (…, T)
