"""Margin contrastive loss: pairs labelled 1 are pulled together, pairs labelled 0 pushed to a distance.

    d_i  = 1 − a_i · b_i                                   from 0 (same direction) to 2 (opposite)
    loss = mean_i ½ (y_i · d_i² + (1 − y_i) · hinge(margin − d_i)²)

    hinge(x) = max(0, x)                                   at temperature 0
    hinge(x) = τ · log(1 + exp(x / τ))                     at temperature τ: the same with a rounded corner

Hadsell, Chopra, LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping", equation 4 (there Y
is 1 for a pair that does not belong together), with the cosine distance for the Euclidean one, as in
sentence-transformers. The margin keeps what is far enough apart from being pushed further; without it pushing
apart never ends. The squared hinge has slope 0 at d = margin from both sides, so the gradient is defined
everywhere. A temperature above 0 goes on pushing a little beyond the margin, over a distance of about τ
(Dugas et al. 2001: softplus), which helps where a sharp margin leaves most pairs without any gradient.

Inputs: vectors a, b (M, D), rows of length 1, M ≥ 1; labels y (M,), each 0 or 1. For graded labels take
`cosine_regression` (their values) or `cosent` (their order); where only pairs that belong together are known,
`info_nce`. Each pair is judged by itself: nothing spreads the vectors but the pairs labelled 0, so with few
of them all sentences may end in one place.
"""

from typing import NamedTuple

from ...backend import Array, array_module, asarray


class ContrastiveContext(NamedTuple):
    """What backward needs: the vectors, and the two halves that the loss squares."""

    a: Array  # (M, D)
    b: Array  # (M, D)
    too_far: Array  # (M,) y · d: how far apart a pair is that belongs together
    too_near: Array  # (M,) (1 − y) · hinge(margin − d): how much distance any other pair lacks
    slope: Array  # (M,) of the hinge at margin − d, 0 to 1


def contrastive(
    a: Array, b: Array, labels: Array, margin: float = 0.5, temperature: float = 0.0
) -> tuple[Array, ContrastiveContext]:
    """(M, D), (M, D), (M,) -> the loss, shape ()"""
    xp = array_module(a)
    y = asarray(labels, xp, a.dtype)  # (M,)
    d = 1.0 - (a * b).sum(axis=1)  # (M,)
    too_far = y * d  # (M,)
    hinge, slope = _hinge(margin - d, temperature)  # (M,), (M,)
    too_near = (1.0 - y) * hinge  # (M,)
    loss = 0.5 * (too_far * too_far + too_near * too_near).mean()  # ()  y is 0 or 1, so y² = y
    return loss, ContrastiveContext(a, b, too_far, too_near, slope)


def contrastive_backward(dloss: float | Array, ctx: ContrastiveContext) -> tuple[Array, Array]:
    """() -> da (M, D), db (M, D)"""
    M = len(ctx.a)
    # Of ½ too_near² the hinge hears too_near itself, and passes on as much of it as it is steep.
    dd = (ctx.too_far - ctx.too_near * ctx.slope) * (dloss / M)  # (M,)  mean ½ (too_far² + too_near²)
    dcosines = -dd[:, None]  # (M, 1)  d = 1 − a · b
    return dcosines * ctx.b, dcosines * ctx.a  # (M, D) each  a · b: each side hears the other


def _hinge(x: Array, temperature: float) -> tuple[Array, Array]:
    """(M,) -> the hinge at x and its slope there, each (M,)"""
    xp = array_module(x)
    if temperature == 0.0:
        return xp.maximum(0.0, x), (x > 0.0).astype(x.dtype)
    z = x / temperature  # (M,)
    bent = temperature * xp.logaddexp(0.0, z)  # (M,)  log(1 + exp(z)) without overflow
    return bent, 0.5 * (1.0 + xp.tanh(0.5 * z))  # (M,)  1 / (1 + exp(−z))
