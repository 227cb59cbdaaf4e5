"""Linear layer: every output is a weighted sum of the inputs.

    y = x · W + b

Published GPT-2 checkpoints store W as (in, out), so no transpose is needed on the way forward.
"""

from typing import NamedTuple

from ..backend import Array
from ..half_products import HalfMatrix, factor
from ..kernels import replaceable


class LinearContext(NamedTuple):
    """What backward needs: each operand's gradient is a product with the other operand."""

    x: Array | HalfMatrix  # (N, in)
    weight: Array | HalfMatrix  # (in, out) a view of the parameters, not a copy; rounded in half_products


@replaceable
def linear(x: Array, weight: Array, bias: Array) -> tuple[Array, LinearContext]:
    """(N, in), (in, out), (out,) -> (N, out)"""
    x, weight = factor(x), factor(weight)  # themselves, unless products are to run in half precision
    y = x @ weight + bias  # (N, out)
    return y, LinearContext(x, weight)


@replaceable
def linear_backward(dy: Array, ctx: LinearContext) -> tuple[Array, Array, Array]:
    """(N, out) -> dx (N, in), dweight (in, out), dbias (out,)"""
    dbias = dy.sum(axis=0)  # (out,)  y = … + bias, the same bias for every row
    dy = factor(dy)  # (N, out)  as x and weight: once for both products
    dweight = ctx.x.T @ dy  # (in, out)  y = x @ weight: each weight meets every row once
    dx = dy @ ctx.weight.T  # (N, in)  y = x @ weight: each input feeds every output
    return dx, dweight, dbias
