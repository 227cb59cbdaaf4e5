"""InfoNCE: among all candidates of the batch, find the one that belongs to the anchor.

    s_ij  = a_i · c_j / τ               the candidates c are the M positives, then the K hard negatives
    there = mean_i − log softmax_j(s_i)[i]          from an anchor to its positive, over all M + K candidates
    back  = mean_j − log softmax_i(s_·j)[j]         from a positive to its anchor, over the M anchors, j ≤ M
    loss  = (there + back) / 2          or `there` alone if not symmetric

Each row is a classification whose classes are the candidates, so both terms are `layers.cross_entropy` with
the diagonal as targets. van den Oord et al. 2018, arXiv:1807.03748, equation 4; as "multiple negatives
ranking" Henderson et al. 2017, arXiv:1705.00652, section 4.4; both directions as in CLIP, Radford et al.
2021, arXiv:2103.00020, figure 3. A hard negative belongs to no anchor, so it asks nothing on the way back.

Inputs: anchors, positives (M, D), row i of both belong together; negatives (K, D), any K, or None; rows of
length 1. No labels: every other row of the batch serves as a negative, so a text must not stand in a batch
twice, and larger batches make a harder and better task. With M = 1 and no negatives there is nothing to
choose from: loss 0, gradient 0. A small temperature τ lets the nearest wrong candidates count most. It is the
one to take where pairs that belong together are all there is; with one negative for each anchor and no others
it is a smooth `triplet`, with a teacher's soft targets in place of the diagonal a part of `distillation`.
"""

from typing import NamedTuple

from ...backend import Array, array_module
from ...layers import cross_entropy, cross_entropy_backward
from ...layers.cross_entropy import CrossEntropyContext


class InfoNCEContext(NamedTuple):
    """What backward needs: both sides of the similarities, and the probabilities of each direction."""

    anchors: Array  # (M, D)
    candidates: Array  # (M + K, D)
    there: CrossEntropyContext  # over rows of (M, M + K)
    back: CrossEntropyContext | None  # over rows of (M, M), None if not symmetric
    has_negatives: bool  # K = 0 and None are told apart: the gradient is (0, D) or None
    temperature: float


def info_nce(
    anchors: Array,
    positives: Array,
    negatives: Array | None = None,
    temperature: float = 0.05,
    symmetric: bool = True,
) -> tuple[Array, InfoNCEContext]:
    """(M, D), (M, D), (K, D) -> the loss, shape ()"""
    xp = array_module(anchors)
    M = len(anchors)
    candidates = positives if negatives is None else xp.concatenate([positives, negatives])  # (M + K, D)
    scores = anchors @ candidates.T / temperature  # (M, M + K)
    diagonal = xp.arange(M)  # (M,)
    loss, there = cross_entropy(scores, diagonal)  # ()
    back = None
    if symmetric:
        loss_back, back = cross_entropy(scores[:, :M].T, diagonal)  # ()
        loss = 0.5 * (loss + loss_back)  # ()
    return loss, InfoNCEContext(anchors, candidates, there, back, negatives is not None, temperature)


def info_nce_backward(dloss: float | Array, ctx: InfoNCEContext) -> tuple[Array, Array, Array | None]:
    """() -> danchors (M, D), dpositives (M, D), dnegatives (K, D) or None if there were none"""
    M = len(ctx.anchors)
    share = dloss if ctx.back is None else 0.5 * dloss  # ()  (there + back) / 2
    dscores = cross_entropy_backward(share, ctx.there)  # (M, M + K)  there
    if ctx.back is not None:
        dscores[:, :M] += cross_entropy_backward(share, ctx.back).T  # (M, M)  back, of scores[:, :M].T
    dscores /= ctx.temperature  # (M, M + K)  s = a · c / τ
    danchors = dscores @ ctx.candidates  # (M, D)  a · c
    dcandidates = dscores.T @ ctx.anchors  # (M + K, D)  a · c
    return danchors, dcandidates[:M], dcandidates[M:] if ctx.has_negatives else None
