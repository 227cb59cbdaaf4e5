"""Cosine regression against a plain loop, and its minimum."""

import numpy as np
import pytest
from arrays import assert_close
from loss_cases import D, M, unit_rows

from minigpt2.backend import asarray, to_numpy
from minigpt2.training.losses import cosine_regression, cosine_regression_backward

TARGETS = [0.5, -1.0, 1.0, 0.25, 0.0, 0.9, 0.5]


def loop_loss(a, b, targets):
    squares = [(sum(x * y for x, y in zip(a[i], b[i], strict=True)) - targets[i]) ** 2 for i in range(len(a))]
    return sum(squares) / len(squares)


@pytest.mark.parametrize("rows", [M, 1])
def test_equals_the_loop(rows, xp):
    a, b = unit_rows(rows, D), unit_rows(rows, D, seed=1)
    loss, _ = cosine_regression(asarray(a, xp), asarray(b, xp), TARGETS[:rows])
    assert float(loss) == pytest.approx(loop_loss(a, b, TARGETS), rel=1e-13)


def test_cosines_that_are_right_cost_nothing(xp):
    a, b = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    loss, ctx = cosine_regression(a, b, (a * b).sum(axis=1))
    assert float(loss) == 0.0
    assert all(not to_numpy(gradient).any() for gradient in cosine_regression_backward(1.0, ctx))


def test_a_cosine_that_is_too_large_is_pushed_down_and_the_other_way_round(xp):
    a, b = asarray(np.eye(2), xp), asarray(np.eye(2)[::-1], xp)  # both cosines are 0
    _, ctx = cosine_regression(a, b, [-0.5, 0.25])
    da, db = cosine_regression_backward(1.0, ctx)
    assert_close(da, np.array([[0.0, 0.5], [-0.25, 0.0]]), 1e-15)  # mean of 2: excess · b
    assert_close(db, np.array([[0.5, 0.0], [0.0, -0.25]]), 1e-15)
