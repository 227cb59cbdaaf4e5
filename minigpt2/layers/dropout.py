"""Dropout: in training, set a random share of the values to zero and scale the others up.

    y = x · keep / (1 − rate)        keep is 1 with probability 1 − rate, else 0

Srivastava et al. 2014, JMLR 15, in its "inverted" form: the expected value of y is x, so nothing has to be
done when the model is used. Without a generator, or at rate 0, the layer hands its input through.
"""

from typing import NamedTuple

from ..backend import Array, array_module

Generator = object  # numpy.random.Generator or cupy.random.Generator


class DropoutContext(NamedTuple):
    """What backward needs: which values were kept, one byte each; None where the input was handed through."""

    keep: Array | None  # (…) bool
    scale: float


def dropout(x: Array, rate: float, rng: Generator | None) -> tuple[Array, DropoutContext]:
    """(…) -> (…). `rng` comes from `xp.random.default_rng(seed)`; the same seed gives the same choice."""
    if rng is None or rate == 0.0:
        return x, DropoutContext(None, 1.0)
    xp = array_module(x)
    keep = rng.random(x.shape, dtype=xp.float32) >= rate  # (…)
    ctx = DropoutContext(keep, 1.0 / (1.0 - rate))
    return dropout_again(x, ctx), ctx


def dropout_again(x: Array, ctx: DropoutContext) -> Array:
    """(…) -> (…) with the choice that an earlier call made"""
    return x if ctx.keep is None else x * ctx.keep * ctx.scale  # (…)


def dropout_backward(dy: Array, ctx: DropoutContext) -> Array:
    """(…) -> dx (…)"""
    return dropout_again(dy, ctx)  # (…)  y = x · keep · scale, so dx = dy · keep · scale
