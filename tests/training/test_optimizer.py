"""AdamW against the paper's algorithm number by number; clipping; the schedule."""

import itertools
import math

import numpy as np
import pytest

from minigpt2.backend import asarray, to_numpy
from minigpt2.parameters import Parameters
from minigpt2.training.optimizer import AdamW, clip_gradients, warmup_cosine

SHAPES = {"matrix": (3, 2), "gain": (4,)}


def test_adamw_equals_the_algorithm(xp, rng):
    start = rng.standard_normal(10)
    gradients = rng.standard_normal((5, 10))
    parameters = Parameters(asarray(start.copy(), xp), SHAPES)
    optimizer = AdamW(parameters, betas=(0.8, 0.95), eps=1e-3, decay=0.1)
    for gradient in gradients:
        optimizer.step(Parameters(asarray(gradient, xp), SHAPES), lr=0.05)

    for i, theta in enumerate(start):
        m = v = 0.0
        for t, gradient in enumerate(gradients, 1):
            m = 0.8 * m + 0.2 * gradient[i]
            v = 0.95 * v + 0.05 * gradient[i] ** 2
            step = m / (1 - 0.8**t) / (math.sqrt(v / (1 - 0.95**t)) + 1e-3)
            theta -= 0.05 * (step + (0.1 * theta if i < 6 else 0.0))  # only the matrix decays
        assert float(parameters.flat[i]) == pytest.approx(theta, rel=1e-12)


@pytest.mark.parametrize(("largest", "expected"), [(1.0, 1.0), (1e6, None)])
def test_clipping_bounds_the_joint_length(xp, rng, largest, expected):
    host = rng.standard_normal(10) * 100
    gradients = Parameters(asarray(host.copy(), xp), SHAPES)
    norm = float(clip_gradients(gradients, largest))
    assert norm == pytest.approx(np.linalg.norm(host))
    length = np.linalg.norm(to_numpy(gradients.flat))
    assert length == pytest.approx(expected or norm)


def test_clipping_leaves_a_zero_gradient_alone(xp):
    gradients = Parameters(xp.zeros(10), SHAPES)
    assert float(clip_gradients(gradients, 1.0)) == 0.0
    assert not to_numpy(gradients.flat).any()


def test_schedule_climbs_to_its_peak_and_falls_to_zero():
    rates = [warmup_cosine(step, 100, 0.5, 10) for step in range(101)]
    assert rates[:10] == pytest.approx([0.05 * (i + 1) for i in range(10)])
    assert max(rates) == rates[10] == 0.5
    assert rates[100] == pytest.approx(0.0, abs=1e-12)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))
    assert rates[55] == pytest.approx(0.25)
