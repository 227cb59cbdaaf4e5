"""Distillation against a plain loop, finite differences and its own meaning."""

import math

import numpy as np
import pytest

from minigpt2.backend import asarray, to_numpy
from minigpt2.gradcheck import check_gradient
from minigpt2.layers import normalize
from minigpt2.training.losses import distillation, distillation_backward


def unit_rows(rng, B, D):
    return normalize(rng.standard_normal((B, D)))[0]


def loop_loss(s, t, temperature, alpha):
    """The formula of the docstring, sentence by sentence."""
    B = len(s)

    def kl(p_scores, q_scores):
        log_p = [x - math.log(sum(map(math.exp, p_scores))) for x in p_scores]
        log_q = [x - math.log(sum(map(math.exp, q_scores))) for x in q_scores]
        return sum(math.exp(p) * (p - q) for p, q in zip(log_p, log_q, strict=True))

    total = 0.0
    for i in range(B):
        total += alpha * (1.0 - float(s[i] @ t[i]))
        total += kl(
            [t[i] @ t[j] / temperature for j in range(B)], [s[i] @ t[j] / temperature for j in range(B)]
        )
        others = [j for j in range(B) if j != i]
        total += kl([t[i] @ t[j] / temperature for j in others], [s[i] @ s[j] / temperature for j in others])
    return total / B


@pytest.mark.parametrize(("B", "D"), [(7, 6), (2, 3)])
def test_equals_the_loop(xp, rng, B, D):
    s, t = unit_rows(rng, B, D), unit_rows(rng, B, D)
    loss, _ = distillation(asarray(s, xp), asarray(t, xp), temperature=0.3, alpha=2.0)
    assert float(loss) == pytest.approx(loop_loss(s, t, 0.3, 2.0), rel=1e-12)


def test_gradient(xp, rng):
    t = asarray(unit_rows(rng, 7, 6), xp)
    check_gradient(
        "distillation",
        lambda students: distillation(students, t, temperature=0.1),
        distillation_backward,
        {"students": asarray(unit_rows(rng, 7, 6), xp)},
    )


def test_the_targets_themselves_are_the_minimum(xp, rng):
    t = asarray(unit_rows(rng, 9, 6), xp)
    loss, ctx = distillation(t, t)
    assert float(loss) == pytest.approx(0.0, abs=1e-12)
    # What is left of the gradient only makes vectors longer, which normalisation does not pass on.
    gradient = to_numpy(distillation_backward(1.0, ctx))
    along = (gradient * to_numpy(t)).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(gradient, along * to_numpy(t), atol=1e-12)


def test_float32_stays_float32_and_finite_at_a_small_temperature(xp, rng):
    s, t = (asarray(unit_rows(rng, 7, 6).astype(np.float32), xp) for _ in range(2))
    loss, ctx = distillation(s, t, temperature=0.001)
    gradient = distillation_backward(1.0, ctx)
    assert loss.dtype == gradient.dtype == np.float32
    assert np.isfinite(to_numpy(gradient)).all()
    assert np.isfinite(float(loss))


def test_backward_leaves_its_inputs_alone(xp, rng):
    s, t = (asarray(unit_rows(rng, 7, 6), xp) for _ in range(2))
    _, ctx = distillation(s, t)
    before = [to_numpy(x).copy() for x in ctx[:4]]
    first = distillation_backward(1.0, ctx)
    assert np.array_equal(to_numpy(first), to_numpy(distillation_backward(1.0, ctx)))
    for old, new in zip(before, ctx[:4], strict=True):
        assert np.array_equal(old, to_numpy(new))
