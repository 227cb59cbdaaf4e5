"""The triplet loss against a plain loop, its corner, and its relation to FaceNet's."""

import numpy as np
import pytest
from arrays import assert_close
from loss_cases import D, M, unit_rows

from minigpt2.backend import asarray, to_numpy
from minigpt2.training.losses import triplet, triplet_backward


def dot(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True))


def three(rows=M):
    return [unit_rows(rows, D, seed=seed) for seed in range(3)]


@pytest.mark.parametrize("margin", [0.2, 1.0, 0.0])
@pytest.mark.parametrize("rows", [M, 1])
def test_equals_the_loop(rows, margin, xp):
    a, p, n = three(rows)
    loss, _ = triplet(*(asarray(x, xp) for x in (a, p, n)), margin)
    expected = [max(0.0, margin + dot(a[i], n[i]) - dot(a[i], p[i])) for i in range(rows)]
    assert float(loss) == pytest.approx(sum(expected) / rows, rel=1e-13, abs=1e-16)


def test_the_rows_test_both_sides_of_the_corner():
    a, p, n = three()
    broken = 0.2 + (a * n).sum(axis=1) - (a * p).sum(axis=1) > 0
    assert 0 < broken.sum() < M


def test_is_half_of_facenets_for_half_of_its_margin(xp):
    a, p, n = three()
    to_positive = ((a - p) ** 2).sum(axis=1)
    to_negative = ((a - n) ** 2).sum(axis=1)
    facenet = np.maximum(0.0, to_positive - to_negative + 0.4).mean()
    loss, _ = triplet(*(asarray(x, xp) for x in (a, p, n)), margin=0.2)
    assert float(loss) == pytest.approx(facenet / 2, rel=1e-13)


def test_at_the_corner_the_subgradient_is_zero(xp):
    a = xp.asarray([[1.0, 0.0], [1.0, 0.0]])
    p = xp.asarray([[1.0, 0.0], [1.0, 0.0]])
    n = xp.asarray([[0.75, 0.5], [0.875, 0.25]])  # 0.25 and 0.125 nearer than the positive: exact in binary
    loss, ctx = triplet(a, p, n, margin=0.25)
    assert float(loss) == 0.0625  # only the second breaks the margin
    da, dp, dn = triplet_backward(1.0, ctx)
    assert_close(da, np.array([[0.0, 0.0], [-0.0625, 0.125]]), 0.0)
    assert_close(dp, np.array([[0.0, 0.0], [-0.5, 0.0]]), 0.0)
    assert_close(dn, np.array([[0.0, 0.0], [0.5, 0.0]]), 0.0)


def test_no_margin_is_broken_then_nothing_moves(xp):
    a, p = (asarray(x, xp) for x in three()[:2])
    loss, ctx = triplet(a, p, -a, margin=-2.5)
    assert float(loss) == 0.0
    assert all(not to_numpy(gradient).any() for gradient in triplet_backward(1.0, ctx))
