"""GELU in its tanh form: lets large values through, stops very negative ones, and bends smoothly between.

    y = ½ · x · (1 + tanh(u))        u = sqrt(2/π) · (x + 0.044715 · x³)

Hendrycks, Gimpel 2016, arXiv:1606.08415, the approximation in section 2. The exact form has the normal
distribution's integral in place of ½(1 + tanh(u)); GPT-2 was trained with this one, and the two differ by up
to 5e-4, so a checkpoint needs the form it was trained with.
"""

import math
from typing import NamedTuple

from ..backend import Array, array_module
from ..kernels import replaceable

SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)
CUBIC = 0.044715


class GeluContext(NamedTuple):
    """What backward needs. tanh(u) is recomputed: it would double the largest activation that is kept."""

    x: Array  # (N, F)


@replaceable
def gelu(x: Array) -> tuple[Array, GeluContext]:
    """(N, F) -> (N, F), element by element"""
    y = 0.5 * x * (1.0 + _tanh_u(x))  # (N, F)
    return y, GeluContext(x)


@replaceable
def gelu_backward(dy: Array, ctx: GeluContext) -> Array:
    """(N, F) -> dx (N, F)"""
    x = ctx.x
    t = _tanh_u(x)  # (N, F)
    du = SQRT_2_OVER_PI * (1.0 + 3.0 * CUBIC * x * x)  # (N, F)  u = sqrt(2/π) · (x + 0.044715 · x³)
    dtanh = (1.0 - t * t) * du  # (N, F)  the derivative of tanh is 1 − tanh²
    return dy * (0.5 * (1.0 + t) + 0.5 * x * dtanh)  # (N, F)  y = (½ · x) · (1 + tanh(u)), the product rule


def _tanh_u(x: Array) -> Array:
    """tanh of the scaled cubic (N, F) -> (N, F). x·x·x and not x**3: a power calls pow, 16 times slower."""
    return array_module(x).tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x))
