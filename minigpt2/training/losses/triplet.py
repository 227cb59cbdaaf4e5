"""Triplet loss: an anchor should be nearer to its positive than to its negative, by a margin.

    loss = mean_i max(0, margin + a_i · n_i − a_i · p_i)

Schroff, Kalenichenko, Philbin 2015 (FaceNet), arXiv:1503.03832, equation 3: on rows of length 1 the squared
distance there is ‖a − p‖² = 2 · (1 − a · p), so this is half of its loss, for half of its margin.

Inputs: anchors a, positives p, negatives n (M, D), rows of length 1, M ≥ 1; row i of the three is one
triplet. Take it for negatives chosen with care, one for each anchor. `info_nce` compares an anchor with all
positives and negatives of the batch at once and needs no margin; with one negative and no others it is this
loss with the corner rounded off: log(1 + exp((a·n − a·p) / τ)).

At the corner, where a triplet keeps the margin exactly, the function has no derivative; its subgradient there
is taken to be 0, as for every triplet that keeps the margin with room to spare.
"""

from typing import NamedTuple

from ...backend import Array, array_module


class TripletContext(NamedTuple):
    """What backward needs: the vectors, and which triplets break the margin."""

    anchors: Array  # (M, D)
    positives: Array  # (M, D)
    negatives: Array  # (M, D)
    broken: Array  # (M,) 1 where the margin is broken, 0 where it is kept


def triplet(
    anchors: Array, positives: Array, negatives: Array, margin: float = 0.2
) -> tuple[Array, TripletContext]:
    """(M, D), (M, D), (M, D) -> the loss, shape ()"""
    xp = array_module(anchors)
    to_positive = (anchors * positives).sum(axis=1)  # (M,)
    to_negative = (anchors * negatives).sum(axis=1)  # (M,)
    lacking = margin + to_negative - to_positive  # (M,)
    loss = xp.maximum(0.0, lacking).mean()  # ()
    broken = (lacking > 0.0).astype(anchors.dtype)  # (M,)
    return loss, TripletContext(anchors, positives, negatives, broken)


def triplet_backward(dloss: float | Array, ctx: TripletContext) -> tuple[Array, Array, Array]:
    """() -> danchors (M, D), dpositives (M, D), dnegatives (M, D)"""
    M = len(ctx.anchors)
    dlacking = (ctx.broken * (dloss / M))[:, None]  # (M, 1)  mean max(0, lacking)
    danchors = dlacking * (ctx.negatives - ctx.positives)  # (M, D)  lacking = margin + a · n − a · p
    dpositives = -dlacking * ctx.anchors  # (M, D)  … − a · p
    dnegatives = dlacking * ctx.anchors  # (M, D)  … + a · n
    return danchors, dpositives, dnegatives
