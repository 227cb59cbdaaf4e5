"""The margin contrastive loss against a plain loop, and what the margin means."""

import math

import numpy as np
import pytest
from arrays import assert_close
from loss_cases import BINARY, D, M, unit_rows

from minigpt2.backend import asarray, to_numpy
from minigpt2.training.losses import contrastive, contrastive_backward


def loop_loss(a, b, labels, margin):
    total = 0.0
    for i in range(len(a)):
        d = 1.0 - sum(x * y for x, y in zip(a[i], b[i], strict=True))
        total += 0.5 * d**2 if labels[i] == 1 else 0.5 * max(0.0, margin - d) ** 2
    return total / len(a)


@pytest.mark.parametrize("margin", [0.5, 0.1, 1.5])
@pytest.mark.parametrize("rows", [M, 1])
def test_equals_the_loop(rows, margin, xp):
    a, b = unit_rows(rows, D), unit_rows(rows, D, seed=1)
    loss, _ = contrastive(asarray(a, xp), asarray(b, xp), asarray(np.array(BINARY[:rows]), xp), margin)
    assert float(loss) == pytest.approx(loop_loss(a, b, BINARY, margin), rel=1e-13)


def pair_at(distance, xp, dtype=np.float64):
    """Two rows (1, 2) of length 1 with 1 − a · b = distance"""
    cosine = 1.0 - distance
    a, b = np.array([[1.0, 0.0]]), np.array([[cosine, np.sqrt(1.0 - cosine * cosine)]])
    return asarray(a, xp, dtype), asarray(b, xp, dtype)


def test_the_two_labels_pull_in_opposite_directions(xp):
    a, b = pair_at(0.25, xp)
    pull = contrastive_backward(1.0, contrastive(a, b, xp.asarray([1]))[1])
    push = contrastive_backward(1.0, contrastive(a, b, xp.asarray([0]))[1])
    assert_close(pull[0], -0.25 * to_numpy(b), 1e-15)  # d = 0.25
    assert_close(push[0], 0.25 * to_numpy(b), 1e-15)  # margin − d = 0.25
    assert_close(push[1], 0.25 * to_numpy(a), 1e-15)


@pytest.mark.parametrize("distance", [0.5, 0.75, 1.0])
def test_a_pair_at_or_beyond_the_margin_is_left_alone(distance, xp):
    loss, ctx = contrastive(*pair_at(distance, xp), xp.asarray([0]))
    assert float(loss) == 0.0
    assert all(not to_numpy(gradient).any() for gradient in contrastive_backward(1.0, ctx))


@pytest.mark.parametrize("labels", [[1, 0, 1], np.array([1, 0, 1], np.int64), np.array([1.0, 0.0, 1.0])])
def test_labels_of_any_kind_leave_float32_as_it_is(labels, xp):
    a, b = (asarray(unit_rows(3, D, seed=seed), xp, np.float32) for seed in (0, 1))
    loss, ctx = contrastive(a, b, labels)
    da, db = contrastive_backward(1.0, ctx)
    assert loss.dtype == da.dtype == db.dtype == np.float32
    expected = loop_loss(to_numpy(a).tolist(), to_numpy(b).tolist(), list(labels), 0.5)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def loop_soft_hinge(x, temperature):
    return temperature * math.log1p(math.exp(x / temperature))


@pytest.mark.parametrize("temperature", [0.05, 0.4])
def test_a_temperature_rounds_the_corner(temperature, xp):
    a, b = unit_rows(M, D), unit_rows(M, D, seed=1)
    labels = asarray(np.array(BINARY), xp)
    loss, _ = contrastive(asarray(a, xp), asarray(b, xp), labels, 0.5, temperature)
    d = 1.0 - (a * b).sum(axis=1)
    terms = [
        0.5 * (di**2 if y == 1 else loop_soft_hinge(0.5 - di, temperature) ** 2)
        for di, y in zip(d, BINARY, strict=True)
    ]
    assert float(loss) == pytest.approx(np.mean(terms), rel=1e-13)
    assert float(loss) > float(contrastive(asarray(a, xp), asarray(b, xp), labels, 0.5)[0])


def test_a_small_temperature_is_the_sharp_margin_and_does_not_overflow(xp):
    a, b = (asarray(unit_rows(M, D, seed=seed), xp, np.float32) for seed in (0, 1))
    labels = asarray(np.array(BINARY), xp)
    sharp, sharp_ctx = contrastive(a, b, labels, 0.5)
    soft, soft_ctx = contrastive(a, b, labels, 0.5, 1e-4)
    assert float(soft) == pytest.approx(float(sharp), rel=1e-5)
    for x, y in zip(contrastive_backward(1.0, sharp_ctx), contrastive_backward(1.0, soft_ctx), strict=True):
        assert_close(y, to_numpy(x), 1e-6)


def test_beyond_the_margin_a_temperature_still_pushes(xp):
    push = contrastive_backward(1.0, contrastive(*pair_at(0.55, xp), xp.asarray([0]), 0.5, 0.1)[1])
    assert float(push[0][0, 0]) > 0.0  # the step goes against the gradient: away from b = (0.45, …)
