import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import D, N, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import layernorm, layernorm_backward
from minigpt2.layers.layernorm import normalized


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_equals_the_loops(layout, eps, xp):
    x, gain, bias = 3 + 2 * normal(N, D), normal(D), normal(D, seed=2)
    y, _ = layernorm(*(laid_out(array, layout, xp) for array in (x, gain, bias)), eps)
    assert_close(y, naive.layernorm(x.tolist(), gain.tolist(), bias.tolist(), eps), 1e-13)


def test_epsilon_is_that_of_gpt_2_unless_said_otherwise(xp):
    x, gain, bias = 1e-3 * normal(N, D), normal(D), normal(D, seed=2)
    y, _ = layernorm(*(asarray(array, xp) for array in (x, gain, bias)))
    assert_close(y, naive.layernorm(x.tolist(), gain.tolist(), bias.tolist(), 1e-5), 1e-13)


def test_without_gain_and_bias_rows_have_mean_0_and_variance_1(xp):
    x = asarray(100 + 7 * normal(N, D), xp)
    y, ctx = layernorm(x, xp.ones(D), xp.zeros(D), eps=1e-12)
    y = to_numpy(y)
    assert_close(y.mean(axis=1), np.zeros(N), 1e-12)
    assert_close(y.var(axis=1), np.ones(N), 1e-10)
    assert_close(normalized(ctx), y, 0.0)


def test_a_constant_row_gives_the_bias_and_a_finite_gradient(xp):
    bias = asarray(normal(D), xp)
    y, ctx = layernorm(xp.full((1, D), 4.0), xp.ones(D), bias)
    assert_close(y, to_numpy(bias)[None], 0.0)
    dx, _, _ = layernorm_backward(asarray(normal(1, D), xp), ctx)
    assert np.isfinite(to_numpy(dx)).all()


def test_the_gradient_neither_shifts_nor_stretches_a_row(xp):
    x = normal(N, D)
    _, ctx = layernorm(asarray(x, xp), asarray(normal(D), xp), xp.zeros(D), eps=1e-12)
    dx, _, _ = layernorm_backward(asarray(normal(N, D, seed=8), xp), ctx)
    dx = to_numpy(dx)
    assert_close(dx.sum(axis=1), np.zeros(N), 1e-12)
    assert_close((dx * x).sum(axis=1), np.zeros(N), 1e-9)
