"""CoSENT: of two pairs of sentences, the one with the higher label should have the higher cosine.

    c_i  = a_i · b_i / τ
    loss = log(1 + Σ exp(c_j − c_i))        over all i, j with label_i > label_j

Su 2022, "CoSENT: a sentence embedding scheme more effective than Sentence-BERT", kexue.fm/archives/8847. Each
term is large where the order is wrong; log(1 + Σ exp) is a smooth maximum over 0 and all terms.

Inputs: vectors a, b (M, D), rows of length 1; labels (M,), any numbers that can be ordered: 0/1, 0 to 5,
ranks. Only their order counts, not their distance, which is what Spearman's correlation measures too; for
cosines that are to equal the labels take `cosine_regression`. Pairs of equal label are not compared. If all
labels are equal, or M = 1, there is nothing to compare: loss 0, gradient 0.

The sum has up to M²/2 terms, but none of them is formed. exp(c_j − c_i) is a product of what belongs to j and
what belongs to i, so, in the order of the labels, one running sum serves all i:

    Σ_i exp(−c_i) · Σ_{j: label_j < label_i} exp(c_j)

M log M steps instead of M². All sums stay logarithms, so no temperature overflows.
"""

import math
from typing import NamedTuple

from ...backend import Array, array_module, asarray


class CoSENTContext(NamedTuple):
    """What backward needs: the vectors and, pair by pair in the order of their labels, the sums so far."""

    a: Array  # (M, D)
    b: Array  # (M, D)
    order: Array  # (M,) the pairs from the lowest label to the highest
    c: Array  # (M,) cosines / τ in this order
    larger: Array  # (M,) how many labels are larger
    log_terms: Array  # (M,) log Σ_j exp(c_j − c_i) over smaller labels, −inf where there are none
    loss: Array  # ()
    temperature: float


def cosent(a: Array, b: Array, labels: Array, temperature: float = 0.05) -> tuple[Array, CoSENTContext]:
    """(M, D), (M, D), (M,) -> the loss, shape ()"""
    xp = array_module(a)
    labels = asarray(labels, xp)  # (M,)
    order = xp.argsort(labels)  # (M,)
    ranked = labels[order]  # (M,)
    c = ((a * b).sum(axis=1) / temperature)[order]  # (M,)
    smaller = xp.searchsorted(ranked, ranked, side="left")  # (M,) how many labels are smaller
    larger = len(ranked) - xp.searchsorted(ranked, ranked, side="right")  # (M,)
    log_terms = _log_sum_of_first(c, smaller) - c  # (M,)
    top = xp.maximum(0.0, log_terms.max())  # ()
    loss = top + xp.log(xp.exp(-top) + xp.exp(log_terms - top).sum())  # ()  log(1 + Σ exp)
    return loss, CoSENTContext(a, b, order, c, larger, log_terms, loss, temperature)


def cosent_backward(dloss: float | Array, ctx: CoSENTContext) -> tuple[Array, Array]:
    """() -> da (M, D), db (M, D)"""
    xp = array_module(ctx.a)
    # Each term moves the loss by its own share of 1 + Σ exp, which is exp(loss).
    as_higher = xp.exp(ctx.log_terms - ctx.loss)  # (M,)  exp(c_j − c_i) in its role i, over all j
    log_as_lower = _log_sum_of_first(-ctx.c[::-1], ctx.larger[::-1])[::-1] + ctx.c  # (M,)
    as_lower = xp.exp(log_as_lower - ctx.loss)  # (M,)  exp(c_j − c_i) in its role j, over all i
    dcosines = xp.empty_like(ctx.c)  # (M,)
    dcosines[ctx.order] = (as_lower - as_higher) * (dloss / ctx.temperature)  # c = (a · b / τ)[order]
    dcosines = dcosines[:, None]  # (M, 1)
    return dcosines * ctx.b, dcosines * ctx.a  # (M, D) each  a · b: each side hears the other


def _log_sum_of_first(x: Array, counts: Array) -> Array:
    """(M,), (M,) -> (M,): log Σ exp over the first counts_i entries of x, −inf for none of them"""
    xp = array_module(x)
    # Each entry holds the log-sum of the `reach` entries that end with it; adding the entry that stands
    # `reach` places before doubles this (Hillis, Steele 1986).
    log_sums, reach = x, 1  # (M,)
    while reach < len(x):
        log_sums = xp.concatenate([log_sums[:reach], xp.logaddexp(log_sums[reach:], log_sums[:-reach])])
        reach *= 2
    return xp.where(counts > 0, log_sums[xp.maximum(counts - 1, 0)], -math.inf)  # (M,)
