"""Is a hand-written gradient right? Compare it with what the function really does, along random directions.

    analytic    Σ dx · v                                        dx from backward, v a random direction
    numeric     (4·S(h/2) − S(h)) / 3,   S(h) = (L(x + h·v) − L(x − h·v)) / 2h

L = Σ y · w for random w, so that every output counts. S is the central difference, wrong by O(h²); combining
two of them (Richardson 1911) leaves O(h⁴), so in float64 a right gradient agrees to about 1e-10, and one
direction tests all entries of an input at once: four forward passes, whatever the size. Where both numbers
are smaller than what rounding alone can make of L, they count as zero and agree: attention's key bias, say,
has no gradient, and finite differences of it give 1e-13.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from .backend import Array, array_module, asarray

STEP = 1e-3
TOLERANCE = 1e-7
# What rounding makes of a float64 loss, relative to its size or to that of the terms it sums.
ROUNDING = 4 * float(np.finfo(np.float64).eps)


class GradientCheck(NamedTuple):
    """One comparison: what backward says and what the function does, for one input along one direction."""

    layer: str
    input: str
    analytic: float
    numeric: float
    error: float  # |analytic − numeric| relative to the size that the numbers were expected to have

    def __str__(self) -> str:
        return (
            f"{self.layer}: gradient with respect to {self.input!r} along a random direction: "
            f"backward says {self.analytic:.12g}, finite differences say {self.numeric:.12g} "
            f"(relative error {self.error:.2g})"
        )


class GradientError(AssertionError):
    """A gradient that is wrong. The message names the layer and the input and prints both numbers."""


def check_gradient(
    layer: str,
    forward: Callable[..., tuple[Array, object]],
    backward: Callable[[Array, object], object],
    inputs: Mapping[str, Array],
    *,
    seed: int = 0,
    directions: int = 2,
    step: float = STEP,
    tolerance: float = TOLERANCE,
) -> list[GradientCheck]:
    """Check `backward(dy, ctx)` against `y, ctx = forward(**inputs)`, input by input.

    layer      the name to print
    inputs     float64 arrays, each differentiable; bind everything else with functools.partial
    backward   returns the gradients in the order of `inputs`: one array, or a tuple, or a mapping by name

    Returns every comparison made; an input without entries has none. Raises GradientError at the first whose
    error exceeds `tolerance`, or if the gradients' names or shapes are not those of the inputs; ValueError if
    an input is not float64.
    """
    _require_float64(layer, inputs)
    rng = np.random.default_rng(seed)
    y, ctx = forward(**inputs)
    w = _random_like(y, rng)  # the shape of y
    size = float(abs(y * w).sum())
    gradients = _by_name(layer, backward(w, ctx), inputs)

    checks = []
    for name, x in inputs.items():
        for _ in range(directions if x.size else 0):
            v = _random_like(x, rng)

            def along(t: float, name: str = name, x: Array = x, v: Array = v) -> float:
                moved, _ = forward(**{**inputs, name: x + t * v})
                return float((moved * w).sum())

            checks.append(_compare(layer, name, gradients[name], v, along, step, size, tolerance))
    return checks


def check_parameters(
    layer: str,
    loss: Callable[[], float | Array],
    gradients: Mapping[str, Array],
    parameters: Mapping[str, Array],
    *,
    seed: int = 0,
    step: float = STEP,
    tolerance: float = TOLERANCE,
) -> list[GradientCheck]:
    """Check the gradient of every parameter of a whole model.

    `loss()` computes the scalar from `parameters` as they are now; each parameter is moved in place along a
    random direction and put back exactly. `gradients` holds what backward gave. Returns and raises as
    `check_gradient` does.
    """
    _require_float64(layer, parameters)
    _require_shapes(layer, gradients, parameters)
    rng = np.random.default_rng(seed)
    size = abs(float(loss()))
    checks = []
    for name, x in parameters.items():
        if not x.size:
            continue
        v = _random_like(x, rng)
        saved = x.copy()

        def along(t: float, x: Array = x, v: Array = v, saved: Array = saved) -> float:
            x[...] = saved + t * v
            try:
                return float(loss())
            finally:
                x[...] = saved

        checks.append(_compare(layer, name, gradients[name], v, along, step, size, tolerance))
    return checks


def _compare(
    layer: str,
    name: str,
    gradient: Array,
    v: Array,
    along: Callable[[float], float],
    step: float,
    size: float,
    tolerance: float,
) -> GradientCheck:
    """Both numbers for one direction; raises GradientError if they differ by more than `tolerance`."""
    # A direction of length 1 keeps the step's size, and with it the truncation error, independent of the
    # number of entries.
    length = float(array_module(v).sqrt((v * v).sum()))
    h = step / length
    analytic = float((gradient * v).sum())
    coarse = (along(h) - along(-h)) / (2 * h)
    fine = (along(h / 2) - along(-h / 2)) / h
    numeric = (4 * fine - coarse) / 3
    # g · v is about ‖g‖·‖v‖/sqrt(size) for a random v. Dividing by this where it is larger than the two
    # numbers keeps a direction that happens to be nearly orthogonal to the gradient from looking wrong.
    typical = float(array_module(gradient).sqrt((gradient * gradient).sum())) * length / math.sqrt(v.size)
    scale = max(abs(analytic), abs(numeric), typical)
    is_zero = max(abs(analytic), abs(numeric)) <= ROUNDING * size / h
    if math.isnan(analytic) or math.isnan(numeric):  # max passes over a NaN that comes second
        error = math.nan
    else:
        error = 0.0 if is_zero else abs(analytic - numeric) / scale
    check = GradientCheck(layer, name, analytic, numeric, error)
    if not error <= tolerance:  # a NaN fails too
        raise GradientError(str(check))
    return check


def _require_float64(layer: str, arrays: Mapping[str, Array]) -> None:
    for name, x in arrays.items():
        dtype = getattr(x, "dtype", type(x).__name__)
        if dtype != np.float64:
            raise ValueError(
                f"{layer}: input {name!r} is {dtype}; finite differences need float64, "
                f"whose rounding is small beside the step"
            )


def _random_like(x: Array, rng: np.random.Generator) -> Array:
    return asarray(rng.standard_normal(x.shape), array_module(x))


def _by_name(layer: str, gradients: object, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    if not isinstance(gradients, Mapping):
        if not isinstance(gradients, tuple):
            gradients = (gradients,)
        if len(gradients) != len(inputs):
            raise GradientError(
                f"{layer}: backward returns {len(gradients)} gradients for {len(inputs)} inputs "
                f"({', '.join(inputs)})"
            )
        gradients = dict(zip(inputs, gradients, strict=True))
    _require_shapes(layer, gradients, inputs)
    return gradients


def _require_shapes(layer: str, gradients: Mapping[str, Array], inputs: Mapping[str, Array]) -> None:
    missing, unknown = sorted(set(inputs) - set(gradients)), sorted(set(gradients) - set(inputs))
    if missing or unknown:
        raise GradientError(
            f"{layer}: the gradients do not have the names of the inputs "
            f"(missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'})"
        )
    for name, x in inputs.items():
        if gradients[name].shape != x.shape:
            raise GradientError(
                f"{layer}: the gradient with respect to {name!r} has shape {gradients[name].shape}, "
                f"but the input has {x.shape}"
            )
