"""Matryoshka: any loss, also on the first few numbers of each vector, so that vectors may be cut short later.

    x^(d) = x[:, :d] / ‖x[:, :d]‖              the first d columns, each row stretched to length 1 again
    loss  = Σ_d w_d · loss(x^(d), …)

Kusupati et al. 2022, arXiv:2205.13147, equation 1; with w_d = 1 as there unless other weights are given.
Without it a vector's information lies spread over all D numbers and the first d are no better than any
others; with it they are an embedding of their own, and `encode(…, truncate_dim=d)` costs little quality.

Inputs: another loss of this folder as its two functions, which must see vectors only through their arguments
`forward(*prefixes)` (bind labels and settings with functools.partial); the vectors (M, D) that it takes; the
widths d, each from 1 to D. Give D itself too, or the last columns learn nothing. A None among the vectors, as
for `info_nce` without negatives, is handed on as None.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...backend import Array, array_module
from ...errors import UsageError
from ...layers import normalize, normalize_backward
from ...layers.normalize import NormalizeContext


class Prefix(NamedTuple):
    """One width: its weight, and the contexts of what ran on it."""

    d: int
    weight: float
    normalize: list[NormalizeContext | None]  # one for each vector input
    loss: Any  # the context of the loss


class MatryoshkaContext(NamedTuple):
    """What backward needs: the way back of the loss, and each width's contexts."""

    backward: Callable[[Array, Any], Array | tuple[Array | None, ...]]
    vectors: tuple[Array | None, ...]  # (M, D) each; only for the shapes of their gradients
    prefixes: list[Prefix]


def matryoshka(
    forward: Callable[..., tuple[Array, Any]],
    backward: Callable[[Array, Any], Array | tuple[Array | None, ...]],
    vectors: tuple[Array | None, ...],
    dims: Sequence[int],
    weights: Sequence[float] | None = None,
) -> tuple[Array, MatryoshkaContext]:
    """(M, D) each -> the weighted sum of the losses, shape ().

    Raises UsageError for no width at all, a width outside 1 … D, or weights that are not one for each width.
    """
    D = vectors[0].shape[1]
    weights = [1.0] * len(dims) if weights is None else [float(weight) for weight in weights]
    if not dims or not all(1 <= d <= D for d in dims):
        raise UsageError(f"the widths of prefixes are {list(dims)}: give at least one, each from 1 to {D}")
    if len(weights) != len(dims):
        raise UsageError(f"{len(weights)} weights for {len(dims)} widths of prefixes: give one for each")
    total, prefixes = 0.0, []
    for d, weight in zip(dims, weights, strict=True):
        pairs = [(None, None) if x is None else normalize(x[:, :d]) for x in vectors]  # (M, d) each
        loss, ctx = forward(*(prefix for prefix, _ in pairs))  # ()
        total = total + weight * loss  # ()
        prefixes.append(Prefix(d, weight, [normalize_ctx for _, normalize_ctx in pairs], ctx))
    return total, MatryoshkaContext(backward, vectors, prefixes)


def matryoshka_backward(dloss: float | Array, ctx: MatryoshkaContext) -> Array | tuple[Array | None, ...]:
    """() -> the gradient (M, D) of each of the vectors: one array, or a tuple for several"""
    gradients = [None if x is None else array_module(x).zeros_like(x) for x in ctx.vectors]  # (M, D) each
    for prefix in ctx.prefixes:
        of_prefixes = ctx.backward(dloss * prefix.weight, prefix.loss)  # (M, d) each  Σ w_d · loss
        if not isinstance(of_prefixes, tuple):
            of_prefixes = (of_prefixes,)
        for i, dprefix in enumerate(of_prefixes):
            if dprefix is not None:  # the columns after the first d did not take part
                gradients[i][:, : prefix.d] += normalize_backward(dprefix, prefix.normalize[i])  # (M, d)
    return gradients[0] if len(gradients) == 1 else tuple(gradients)
