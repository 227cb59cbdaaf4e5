import math

import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import softmax, softmax_backward


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_loops_along_the_last_axis(layout, xp):
    x = 3 * normal(2, 3, 4, 5)
    y, _ = softmax(laid_out(x, layout, xp))
    expected = [[[naive.softmax(row) for row in c] for c in b] for b in x.tolist()]
    assert_close(y, expected, 1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_scores_do_not_overflow(dtype, xp):
    x = xp.asarray([[1e30, 1e30, -1e30]], dtype=dtype)
    y, _ = softmax(x)
    assert y.tolist() == [[0.5, 0.5, 0.0]]


def test_a_hidden_score_gets_weight_0_and_no_gradient(xp):
    x = xp.asarray([[0.3, -math.inf, 1.2], [2.0, -math.inf, -math.inf]])
    y, ctx = softmax(x)
    assert y[:, 1].tolist() == [0.0, 0.0]
    assert y[1].tolist() == [1.0, 0.0, 0.0]
    dx = to_numpy(softmax_backward(asarray(normal(2, 3), xp), ctx))
    assert dx[:, 1].tolist() == [0.0, 0.0]
    assert np.isfinite(dx).all()


def test_rows_sum_to_1_and_their_gradients_to_0(xp):
    y, ctx = softmax(asarray(normal(3, 4), xp))
    assert_close(y.sum(axis=-1), np.ones(3), 1e-15)
    assert_close(softmax_backward(asarray(normal(3, 4, seed=2), xp), ctx).sum(axis=-1), np.zeros(3), 1e-15)
