"""Do the vectors still differ? Gauges of embedding collapse, and a warning when it begins.

A loss that only pulls texts together is smallest when every text gets the same vector: it falls to zero while
the model forgets everything. The gauges, on vectors of length 1:

    mean cosine       over all pairs of different texts: 0 when directions are spread out, 1 when all are one
    alignment         mean ‖a − b‖² over pairs that belong together: 0 when they are the same
    uniformity        log of the mean of exp(−2‖a − b‖²) over all pairs: near −4 when spread evenly over a
                      sphere of many dimensions, 0 when all are one
    effective rank    exp(H(p)) with p = σ / Σσ over the singular values σ of the (M, D) matrix: how many
                      directions the vectors use, between 1 and min(M, D)

Alignment and uniformity: Wang, Isola 2020, arXiv:2005.10242. Effective rank: Roy, Vetterli 2007, EUSIPCO.

The rank is that of the vectors as they are, not of their deviations from the mean. In a collapse all vectors
are one direction plus small change: as they are, they have rank 1; centred, nothing is left but the change,
which may well have full rank, and the gauge would look its best when all is lost.

No single number is an alarm. What was measured on models of 64 to 768 dimensions, with 600 captions or 1000
sentences:

    state                                           mean cosine      effective rank
    GPT-2 before training, mean or last pooling     0.36 to 0.69     0.45 to 0.75 of D
    the same, max pooling                           0.79 to 0.92     0.45 to 0.55 of D
    the model that ships                            0.05             0.83 of D
    InfoNCE, cosine regression, half negatives      below 0.9        above 0.35 of that before training
    margin 0.2, half negatives                      0.995 in step 7, 0.83 in step 160; then 0.44 of it
    InfoNCE, learning rate 0.002 to 0.01            above 0.95 for up to 80 steps, 0.5 to 0.8 in step 160;
                                                    then 0.14 to 0.2 of it
    0/1 pairs of which 90 % are positive            0.86 to 0.998    0.08 to 0.3 of it
    positives only, or a margin of 0.02             above 0.99       0.04 to 0.2 of it

So the alarm asks for two things at once, twice in a row, since a run may pass through such a state and
recover.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..backend import Array, array_module, asarray
from ..errors import UsageError

MOST_ROWS = 2048  # of the vectors that uniformity compares each with each

# What two measurements in a row must show for an alarm; the table above says where the numbers come from.
HIGH_COSINE = 0.95  # above it, and
LOST_RANK = 0.5  # less than this share of the rank before training; or else
LEAST_RANK = 2.0  # less than so many directions, whatever the cosine


class Collapse(NamedTuple):
    """The gauges of one set of vectors."""

    mean_cosine: float
    alignment: float | None  # None without pairs that belong together
    uniformity: float
    effective_rank: float
    dimensions: int  # D, the largest rank that there could be


def collapse_of(vectors: Array, positives: tuple[Array, Array] | None = None) -> Collapse:
    """Measure vectors (M, D), M ≥ 2; `positives` are two arrays of row numbers whose texts belong together.

    The rows are scaled to length 1 first, a zero vector stays zero. Mean cosine, alignment and rank are exact
    over all rows; uniformity is taken over at most 2048 of them, evenly picked. Use texts that differ: the
    same text twice counts as two texts that have collapsed.
    """
    xp = array_module(vectors)
    if vectors.ndim != 2 or len(vectors) < 2:
        raise UsageError(f"vectors have shape {vectors.shape}: give at least two rows of vectors")
    M, D = vectors.shape
    rows = vectors.astype(xp.float64)  # (M, D)
    norms = xp.sqrt((rows * rows).sum(axis=1, keepdims=True))  # (M, 1)
    rows = rows / xp.where(norms > 0.0, norms, 1.0)  # (M, D)
    # Σ over i ≠ j of aᵢ·aⱼ = ‖Σ aᵢ‖² − Σ ‖aᵢ‖²
    total = rows.sum(axis=0)  # (D,)
    mean_cosine = (total @ total - (rows * rows).sum()) / (M * (M - 1))  # ()
    alignment = None
    if positives is not None:
        first, second = (asarray(side, xp) for side in positives)  # (P,), (P,)
        difference = rows[first] - rows[second]  # (P, D)
        alignment = float((difference * difference).sum(axis=1).mean())
    return Collapse(float(mean_cosine), alignment, _uniformity(rows), _effective_rank(rows), D)


def collapse_warning(history: Sequence[Collapse]) -> str | None:
    """What to tell the user if the last two measurements show a collapse, else None.

    `history` holds all measurements of a run on the same texts, the first taken before its first step: an
    untrained model is no collapse, however alike its vectors are. A run that goes on must keep its history.
    One that begins with vectors which have collapsed already is only told of fewer than two directions, since
    it has no better state to be compared with.
    """
    if len(history) < 3:
        return None
    before, last = history[0], history[-1]
    if not all(has_collapsed(measured, before) for measured in history[-2:]):
        return None
    return (
        f"the vectors are collapsing: the mean cosine of different texts is {last.mean_cosine:.3f} "
        f"({before.mean_cosine:.3f} before training), and of {last.dimensions} dimensions they use "
        f"{last.effective_rank:.1f} (before: {before.effective_rank:.1f}). The loss falls because all texts "
        f"get nearly the same vector, not because the model tells them apart. Remedies: something to push "
        f"apart (info_nce or cosent, or about as many negative pairs as positive ones), a larger margin, a "
        f"lower learning rate or a longer warm-up"
    )


def has_collapsed(measured: Collapse, before: Collapse) -> bool:
    """One measurement beside the one before training: does it alone look like a collapse?"""
    alike = measured.mean_cosine > HIGH_COSINE
    narrow = measured.effective_rank < LOST_RANK * before.effective_rank
    return (alike and narrow) or measured.effective_rank < LEAST_RANK


def _uniformity(rows: Array) -> float:
    """(M, D) of length 1 -> log mean exp(−2‖a − b‖²) over the pairs of different rows"""
    xp = array_module(rows)
    step = -(-len(rows) // MOST_ROWS)
    rows = rows[::step]  # (m, D)
    m = len(rows)
    squares = (rows * rows).sum(axis=1)  # (m,)
    distances = squares[:, None] + squares[None, :] - 2.0 * (rows @ rows.T)  # (m, m) ‖a − b‖²
    kernel = xp.exp(-2.0 * xp.maximum(distances, 0.0))  # (m, m)
    return float(xp.log((kernel.sum() - xp.trace(kernel)) / (m * (m - 1))))


def _effective_rank(rows: Array) -> float:
    """(M, D) -> exp of the entropy of its singular values as shares of their sum; 0 for nothing but zeros"""
    xp = array_module(rows)
    M, D = rows.shape
    gram = rows.T @ rows if D <= M else rows @ rows.T  # its eigenvalues are the squared singular values
    sigma = xp.sqrt(xp.maximum(xp.linalg.eigvalsh(gram), 0.0))  # (min(M, D),)
    total = sigma.sum()
    if float(total) == 0.0:
        return 0.0
    p = sigma / total
    return float(xp.exp(-(p * xp.log(xp.where(p > 0.0, p, 1.0))).sum()))
