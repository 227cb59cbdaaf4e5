"""L2 normalisation: stretch every row to length 1, so that a dot product is a cosine.

    y = x / ‖x‖        ‖x‖ = sqrt(Σ x_d²)

A zero row has no direction: it stays zero and passes no gradient.
"""

from typing import NamedTuple

from ..backend import Array, array_module


class NormalizeContext(NamedTuple):
    """What backward needs: the direction, and by how much each row was stretched."""

    y: Array  # (B, D)
    stretch: Array  # (B, 1) 1 / ‖x‖, or 0 for a zero row


def normalize(x: Array) -> tuple[Array, NormalizeContext]:
    """(B, D) -> (B, D), every row of length 1 or 0"""
    xp = array_module(x)
    peak = xp.abs(x).max(axis=1, keepdims=True)  # (B, 1)
    is_zero = peak == 0.0  # (B, 1)
    # Taking the largest value out first keeps the squares of very small and very large rows in range.
    scaled = x / xp.where(is_zero, 1.0, peak)  # (B, D) within −1 … 1
    norm = xp.sqrt((scaled * scaled).sum(axis=1, keepdims=True))  # (B, 1) ‖x‖ / peak, at least 1
    y = scaled / xp.where(is_zero, 1.0, norm)  # (B, D)
    stretch = xp.where(is_zero, 0.0, 1.0 / xp.where(is_zero, 1.0, norm * peak))  # (B, 1)
    return y, NormalizeContext(y, stretch)


def normalize_backward(dy: Array, ctx: NormalizeContext) -> Array:
    """(B, D) -> dx (B, D)"""
    # Making a row longer does not move y, so the part of the gradient along y is removed.
    along = (dy * ctx.y).sum(axis=1, keepdims=True)  # (B, 1)
    return (dy - ctx.y * along) * ctx.stretch  # (B, D)  y = x / ‖x‖
