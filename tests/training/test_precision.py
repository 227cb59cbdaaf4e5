"""The loss scale: when it falls, when it rises, and that it saves gradients which float16 would lose."""

import json
import math

import numpy as np
import pytest
from models import TINY, random_model

from minigpt2.backend import asarray, to_numpy
from minigpt2.errors import DataError, UsageError
from minigpt2.layers import linear, linear_backward
from minigpt2.training.gradients import language_model_gradients
from minigpt2.training.optimizer import AdamW, clip_gradients
from minigpt2.training.precision import LossScaler, half_products

SENTENCES = [[1, 2, 3, 4], [5, 6, 7], [8, 9]]


def test_halves_at_once_and_doubles_after_patience():
    scaler = LossScaler(1024.0, patience=3)
    seen = []
    for finite in [True, True, False, True, True, True, True, True, True, False, False]:
        scaler.update(finite)
        seen.append(scaler.scale)
    assert seen == [1024, 1024, 512, 512, 512, 1024, 1024, 1024, 2048, 1024, 512]


def test_stays_within_its_bounds_and_says_when_it_cannot_fall():
    scaler = LossScaler(4.0, patience=1, smallest=2.0, largest=8.0)
    assert not scaler.exhausted
    for _ in range(3):
        scaler.update(False)
    assert scaler.scale == 2.0
    assert scaler.exhausted
    for _ in range(5):
        scaler.update(True)
    assert scaler.scale == 8.0
    assert not scaler.exhausted


def test_goes_on_from_its_state():
    first, rng = LossScaler(patience=5), np.random.default_rng(1)
    finite = (rng.random(200) > 0.1).tolist()
    for is_finite in finite[:97]:
        first.update(is_finite)
    second = LossScaler(patience=5)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for is_finite in finite[97:]:
        first.update(is_finite)
        second.update(is_finite)
        assert (second.scale, second.finite_steps) == (first.scale, first.finite_steps)
    assert repr(first) == f"LossScaler(scale={first.scale:g}, {first.finite_steps} of 5 finite steps)"


@pytest.mark.parametrize(
    "state",
    [{}, {"scale": 1024.0}, {"scale": 3.0, "finite_steps": 0}, {"scale": 2.0**30, "finite_steps": 0}]
    + [{"scale": 1024.0, "finite_steps": steps} for steps in (-1, 1.5, None, True)]
    + [{"scale": scale, "finite_steps": 0} for scale in (math.nan, math.inf, "8", None, 0.0)],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(state):
    scaler = LossScaler(256.0)
    with pytest.raises(DataError, match="no state of a loss scale"):
        scaler.load_state_dict(state)
    assert (scaler.scale, scaler.finite_steps) == (256.0, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 3.0}, "the loss scale's scale must be a power of two, not 3.0"),
        ({"scale": 0.0}, "must be a power of two, not 0.0"),
        ({"smallest": -1.0}, "the loss scale's smallest must be a power of two"),
        ({"largest": math.inf}, "the loss scale's largest must be a power of two"),
        ({"scale": 2.0, "smallest": 4.0}, "the loss scale 2.0 does not lie within 4.0 and 16777216.0"),
        ({"patience": 0}, "patience must be a whole number of at least 1, not 0"),
        ({"patience": 1.5}, "patience must be a whole number of at least 1, not 1.5"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        LossScaler(**options)


def halves(kind, xp):
    return half_products(kind, allow_cpu=xp is np)


def test_a_scale_saves_gradients_that_float16_would_lose(xp, rng):
    x, weight, dy = (asarray(rng.standard_normal(s).astype(np.float32), xp) for s in ((7, 6), (6, 5), (7, 5)))
    dy *= 1e-9  # below the smallest number of float16
    with halves("float16", xp):
        _, ctx = linear(x, weight, xp.zeros(5, dtype=np.float32))
        lost = to_numpy(linear_backward(dy, ctx)[1])
        kept = to_numpy(linear_backward(dy * 2.0**24, ctx)[1]) / 2.0**24
    exact = to_numpy(x).astype(np.float64).T @ to_numpy(dy).astype(np.float64)
    assert not lost.any()
    np.testing.assert_allclose(kept, exact, atol=0.01 * np.abs(exact).max())


def test_scaling_by_a_power_of_two_changes_nothing_in_float32(xp):
    model = random_model(TINY, xp, np.float32)
    once, scaled = model.parameters.zeros_like(), model.parameters.zeros_like()
    language_model_gradients(model, SENTENCES, once)
    language_model_gradients(model, SENTENCES, scaled, scale=65536.0)
    scaled.flat *= 1.0 / 65536.0
    np.testing.assert_allclose(
        to_numpy(scaled.flat), to_numpy(once.flat), rtol=0.0 if xp is np else 1e-5, atol=0.0
    )


def test_training_from_too_large_a_scale_leaves_steps_out_and_then_learns(xp):
    model = random_model(TINY, xp, np.float32)
    optimizer, gradients = AdamW(model.parameters), model.parameters.zeros_like()
    scaler = LossScaler(2.0**24, patience=1000)
    losses, left_out = [], 0
    # NumPy warns of infinities that a GPU hands on silently.
    with halves("float16", xp), np.errstate(invalid="ignore"):
        for _ in range(60):
            before = to_numpy(model.parameters.flat).copy()
            gradients.flat[:] = 0.0
            losses.append(float(language_model_gradients(model, SENTENCES, gradients, scale=scaler.scale)))
            gradients.flat *= 1.0 / scaler.scale
            finite = math.isfinite(float(clip_gradients(gradients, 1.0)))
            if finite:
                optimizer.step(gradients, lr=1e-2)
            else:
                left_out += 1
                np.testing.assert_array_equal(to_numpy(model.parameters.flat), before)
            scaler.update(finite)
    assert left_out > 0
    assert scaler.scale == 2.0 ** (24 - left_out)
    assert optimizer.t == 60 - left_out
    assert all(map(math.isfinite, losses))
    assert losses[-1] < 0.2 * losses[0]
