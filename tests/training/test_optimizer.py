"""AdamW against the papers' algorithm number by number, in parts and resumed; clipping."""

import math
import tracemalloc

import numpy as np
import pytest
from models import TINY, random_parameters

from minigpt2.backend import asarray, to_numpy
from minigpt2.errors import UsageError
from minigpt2.parameters import Parameters
from minigpt2.training import optimizer as optimizer_module
from minigpt2.training.optimizer import AdamW, clip_gradients

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


@pytest.mark.parametrize("size", [1, 5, 7, 1000])
def test_vectors_between_matrices_do_not_decay(monkeypatch, size):
    monkeypatch.setattr(optimizer_module, "PART_ON_CPU", size)
    shapes = {
        "a": (3,),
        "b": (2, 3),
        "c": (4, 2),
        "d": (5,),
        "e": (0, 4),
        "f": (2,),
        "g": (2, 2, 2),
        "h": (1,),
    }
    count = sum(map(math.prod, shapes.values()))
    parameters = Parameters(1.0 + np.arange(count, dtype=np.float64), shapes)
    before = {name: view.copy() for name, view in parameters.items()}
    AdamW(parameters, decay=0.5).step(parameters.zeros_like(), lr=0.25)
    for name, view in parameters.items():
        np.testing.assert_array_equal(view, before[name] * (0.875 if view.ndim > 1 else 1.0), err_msg=name)


def trained(xp, dtype=np.float64, steps=5):
    """An optimizer after some steps over SHAPES, from random parameters and gradients"""
    rng = np.random.default_rng(0)
    optimizer = AdamW(Parameters(asarray(rng.standard_normal(10), xp, dtype), SHAPES), decay=0.1)
    for _ in range(steps):
        optimizer.step(Parameters(asarray(rng.standard_normal(10), xp, dtype), SHAPES), lr=0.05)
    return optimizer


@pytest.mark.parametrize("size", [1, 3, 10])
def test_the_size_of_the_parts_does_not_matter(xp, monkeypatch, size):
    expected = trained(xp)
    monkeypatch.setattr(optimizer_module, "PART_ON_CPU", size)
    monkeypatch.setattr(optimizer_module, "PART_ON_GPU", size)
    actual = trained(xp)
    for name in ("parameters", "m", "v"):
        a, b = getattr(actual, name).flat, getattr(expected, name).flat
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keeps_the_precision_and_leaves_the_gradient_alone(xp, dtype):
    optimizer = trained(xp, dtype)
    host = np.arange(10.0)
    gradients = Parameters(asarray(host, xp, dtype), SHAPES)
    optimizer.step(gradients, lr=0.05)
    assert optimizer.parameters.flat.dtype == optimizer.m.flat.dtype == optimizer.v.flat.dtype == dtype
    np.testing.assert_array_equal(to_numpy(gradients.flat), host)


def test_t_and_the_two_moments_are_the_whole_state(xp):
    optimizer = trained(xp)
    copy = AdamW(Parameters(optimizer.parameters.flat.copy(), SHAPES), decay=0.1)
    copy.t = optimizer.t
    copy.m.flat[:] = optimizer.m.flat
    copy.v.flat[:] = optimizer.v.flat
    gradients = Parameters(asarray(np.arange(10.0), xp), SHAPES)
    for one in (optimizer, copy):
        one.step(gradients, lr=0.05)
    np.testing.assert_array_equal(to_numpy(copy.parameters.flat), to_numpy(optimizer.parameters.flat))


def test_a_step_makes_no_array_as_long_as_the_parameters():
    P = 4_000_000
    optimizer = AdamW(Parameters(np.ones(P, np.float32), {"matrix": (2, P // 2)}))
    gradients = Parameters(np.ones(P, np.float32), {"matrix": (2, P // 2)})
    tracemalloc.start()
    optimizer.step(gradients, lr=0.05)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * P / 10


def test_decay_counts_say_in_one_line_what_decays():
    optimizer = AdamW(Parameters(np.zeros(10), SHAPES), decay=0.1)
    assert optimizer.decay_counts[1:] == (1, 6, 1, 4)
    assert str(optimizer.decay_counts) == (
        "weight decay 0.1 on 1 matrices (6 numbers), none on 1 vectors (4 numbers)"
    )
    V, P, D, F, L = TINY.V, TINY.n_positions, TINY.D, TINY.F, TINY.L
    counts = AdamW(random_parameters(TINY)).decay_counts
    assert counts.decaying_tensors == 2 + 4 * L  # wte, wpe; c_attn, c_proj, c_fc, c_proj
    assert counts.decaying_numbers == V * D + P * D + L * (4 * D * D + 2 * D * F)
    assert counts.other_tensors == 2 + 8 * L  # ln_f; ln_1, ln_2 and four biases
    assert counts.other_numbers == 2 * D + L * (9 * D + F)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"betas": (0.9, 1.0)}, r"betas are \(0.9, 1.0\): each must be at least 0 and less than 1"),
        ({"betas": (-0.1, 0.9)}, "betas are"),
        ({"eps": 0.0}, "eps is 0.0 and decay 0.01: give eps above 0"),
        ({"decay": -0.1}, "decay -0.1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        AdamW(Parameters(np.zeros(10), SHAPES), **settings)


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
