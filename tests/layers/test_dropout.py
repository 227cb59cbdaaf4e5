import numpy as np
import pytest
from arrays import assert_close
from layer_cases import normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import dropout, dropout_again, dropout_backward


def test_equals_the_loops(xp):
    x = normal(40, 5)
    y, ctx = dropout(asarray(x, xp), 0.25, xp.random.default_rng(1))
    keep = to_numpy(ctx.keep).tolist()
    expected = [[x[n, d] / 0.75 if keep[n][d] else 0.0 for d in range(5)] for n in range(40)]
    assert_close(y, expected, 1e-15)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_the_share_that_was_asked_for_and_keeps_the_mean(rate, xp):
    y, ctx = dropout(xp.ones(200_000), rate, xp.random.default_rng(1))
    # Five standard deviations of a mean of 200 000 draws.
    assert float(ctx.keep.mean()) == pytest.approx(1 - rate, abs=5 * (rate * (1 - rate) / 200_000) ** 0.5)
    assert float(y.mean()) == pytest.approx(1.0, abs=5 * (rate / (1 - rate) / 200_000) ** 0.5)


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_without_generator_or_rate_the_input_is_handed_through(rate, xp):
    x = asarray(normal(3, 4), xp)
    y, ctx = dropout(x, rate, None if rate else xp.random.default_rng(1))
    assert y is x
    assert ctx.keep is None
    assert dropout_backward(x, ctx) is x


def test_the_seed_decides(xp):
    x = xp.ones(1000)
    masks = [to_numpy(dropout(x, 0.5, xp.random.default_rng(seed))[1].keep) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).any()


def test_the_mask_takes_one_byte_a_value_and_can_be_used_again(xp):
    x = asarray(normal(30, 4), xp)
    y, ctx = dropout(x, 0.5, xp.random.default_rng(1))
    assert ctx.keep.nbytes == x.size
    assert_close(dropout_again(x, ctx), to_numpy(y), 0.0)
