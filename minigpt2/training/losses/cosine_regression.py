"""Cosine regression: the cosine of a pair should be the number that people gave it.

    loss = mean_i (a_i · b_i − target_i)²

Reimers, Gurevych 2019, arXiv:1908.10084, section 3, "Regression Objective Function".

Inputs: vectors a, b (M, D), rows of length 1, M ≥ 1; targets (M,) on the scale of cosines, so that scores
from 0 to 5 are divided by 5 first. It is the one loss here that fixes absolute values: take it where a cosine
will be read as a score. Where only the order of the scores matters, as in search and for Spearman's
correlation, `cosent` asks for less and so fits better. With targets 0 and 1 it is `contrastive` without a
margin: pairs labelled 0 are not only kept apart but drawn to a right angle.
"""

from typing import NamedTuple

from ...backend import Array, array_module, asarray


class CosineRegressionContext(NamedTuple):
    """What backward needs: the vectors, and by how much each cosine is too large."""

    a: Array  # (M, D)
    b: Array  # (M, D)
    excess: Array  # (M,) a · b − target


def cosine_regression(a: Array, b: Array, targets: Array) -> tuple[Array, CosineRegressionContext]:
    """(M, D), (M, D), (M,) -> the loss, shape ()"""
    excess = (a * b).sum(axis=1) - asarray(targets, array_module(a), a.dtype)  # (M,)
    return (excess * excess).mean(), CosineRegressionContext(a, b, excess)


def cosine_regression_backward(dloss: float | Array, ctx: CosineRegressionContext) -> tuple[Array, Array]:
    """() -> da (M, D), db (M, D)"""
    M = len(ctx.a)
    dcosines = (ctx.excess * (2.0 * dloss / M))[:, None]  # (M, 1)  mean excess²
    return dcosines * ctx.b, dcosines * ctx.a  # (M, D) each  a · b: each side hears the other
