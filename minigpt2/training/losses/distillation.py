"""Distillation: put every sentence where a teacher puts it, and keep the teacher's distances between them.

    loss = α · mean_i (1 − s_i · t_i)                                        point: be where the target is
         + mean_i KL( softmax(t_i · t_j / τ) ‖ softmax(s_i · t_j / τ) )      to the targets of all sentences
         + mean_i KL( softmax(t_i · t_j / τ) ‖ softmax(s_i · s_j / τ) )      among the students, over j ≠ i

KL(P ‖ Q) = Σ_j P_ij (log P_ij − log Q_ij). The first term alone would spend the student's capacity evenly;
the other two ask that neighbours stay neighbours, which is what similarity search sees. A sentence's
similarity with itself is always 1 and would drown the rest of the third sum, so it is left out there. Hinton
et al. 2015, arXiv:1503.02531 (soft targets); Park et al. 2019, arXiv:1904.05068 (relations).

Inputs: students s (B, D) and targets t (B, D), rows of length 1, B ≥ 2. No labels are needed, so any text
serves. With a one-hot teacher the second term is InfoNCE (van den Oord et al. 2018, arXiv:1807.03748).
"""

import math
from typing import NamedTuple

from ...backend import Array, array_module


class DistillationContext(NamedTuple):
    """What backward needs: the vectors, and by how much each similarity is too large (Q − P)."""

    students: Array  # (B, D)
    targets: Array  # (B, D)
    to_targets: Array  # (B, B) Q − P of the second term
    among: Array  # (B, B) Q − P of the third term, 0 on the diagonal
    temperature: float
    alpha: float


def distillation(
    students: Array, targets: Array, temperature: float = 0.05, alpha: float = 5.0
) -> tuple[Array, DistillationContext]:
    """(B, D), (B, D) -> the loss, shape ()"""
    xp = array_module(students)
    off_diagonal = xp.where(xp.eye(len(students), dtype=bool), -math.inf, 0.0).astype(
        students.dtype
    )  # (B, B)
    teacher = targets @ targets.T / temperature  # (B, B)

    point = (1.0 - (students * targets).sum(axis=1)).mean()  # ()
    relation, to_targets = _kl(teacher, students @ targets.T / temperature)  # (), (B, B)
    similarities = students @ students.T / temperature  # (B, B)
    relation_among, among = _kl(teacher + off_diagonal, similarities + off_diagonal)  # (), (B, B)

    loss = alpha * point + relation + relation_among  # ()
    return loss, DistillationContext(students, targets, to_targets, among, temperature, alpha)


def distillation_backward(dloss: float | Array, ctx: DistillationContext) -> Array:
    """() -> dstudents (B, D)"""
    B = len(ctx.students)
    dpoint = -ctx.alpha * ctx.targets  # (B, D)  α · (1 − s · t)
    dto_targets = ctx.to_targets @ ctx.targets / ctx.temperature  # (B, D)  s_i · t_j / τ
    both = ctx.among + ctx.among.T  # (B, B)  s_i · s_j: each student stands on both sides
    damong = both @ ctx.students / ctx.temperature  # (B, D)
    return (dpoint + dto_targets + damong) * (dloss / B)  # (B, D)  each term is a mean over i


def _kl(p_scores: Array, q_scores: Array) -> tuple[Array, Array]:
    """Scores (B, B), (B, B) -> mean over rows of KL(softmax(p) ‖ softmax(q)), and Q − P, its row gradients"""
    xp = array_module(p_scores)
    log_p = _log_softmax(p_scores)  # (B, B)
    log_q = _log_softmax(q_scores)  # (B, B)
    p = xp.exp(log_p)  # (B, B)
    gap = xp.where(p > 0.0, log_p - xp.where(p > 0.0, log_q, 0.0), 0.0)  # (B, B)  0 · log 0 counts 0
    return (p * gap).sum(axis=1).mean(), xp.exp(log_q) - p


def _log_softmax(scores: Array) -> Array:
    """(B, B) -> (B, B)"""
    xp = array_module(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)  # (B, B)
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))  # (B, B)
