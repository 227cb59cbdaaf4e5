import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import D, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import normalize, normalize_backward


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_loops(layout, xp):
    x = normal(5, D)
    x[2] = 0.0
    y, _ = normalize(laid_out(x, layout, xp))
    assert_close(y, naive.normalize(x.tolist()), 1e-15)


def test_a_zero_row_stays_zero_and_passes_no_gradient(xp):
    x = asarray(normal(3, D), xp)
    x[1] = 0.0
    y, ctx = normalize(x)
    dx = to_numpy(normalize_backward(asarray(normal(3, D, seed=2), xp), ctx))
    lengths = np.linalg.norm(to_numpy(y), axis=1)
    assert lengths[1] == 0.0
    assert_close(lengths[[0, 2]], np.ones(2), 1e-15)
    assert not dx[1].any()
    assert np.isfinite(dx).all()


def test_the_gradient_is_perpendicular_to_the_row(xp):
    x = normal(5, D)
    _, ctx = normalize(asarray(x, xp))
    dx = to_numpy(normalize_backward(asarray(normal(5, D, seed=2), xp), ctx))
    assert_close((dx * x).sum(axis=1), np.zeros(5), 1e-14)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_tiny_and_huge_float32_rows_keep_their_direction(scale, xp):
    x = normal(2, D)
    y, _ = normalize(asarray(x * scale, xp, np.float32))
    assert_close(y, naive.normalize(x.tolist()), 1e-6)
