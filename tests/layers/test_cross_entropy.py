import math

import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import N, V, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import cross_entropy, cross_entropy_backward

TARGETS = [3, 0, 10, 3, 7, 1, 9]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_loops(layout, xp):
    logits = 3 * normal(N, V)
    loss, _ = cross_entropy(laid_out(logits, layout, xp), xp.asarray(TARGETS))
    assert loss.shape == ()
    assert float(loss) == pytest.approx(naive.cross_entropy(logits.tolist(), TARGETS), rel=1e-14)


def test_equal_logits_cost_the_logarithm_of_the_vocabulary(xp):
    loss, _ = cross_entropy(xp.zeros((N, V)), xp.asarray(TARGETS))
    assert float(loss) == pytest.approx(math.log(V), rel=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_hopeless_target_costs_its_distance_and_stays_finite(dtype, xp):
    logits = xp.asarray([[0.0, 1e4]], dtype=dtype)
    loss, ctx = cross_entropy(logits, xp.asarray([0]))
    assert float(loss) == 1e4
    assert cross_entropy_backward(1.0, ctx).tolist() == [[-1.0, 1.0]]


def test_the_gradient_scales_with_dloss_and_sums_to_zero(xp):
    _, ctx = cross_entropy(asarray(normal(N, V), xp), xp.asarray(TARGETS))
    once, thrice = (to_numpy(cross_entropy_backward(dloss, ctx)) for dloss in (1.0, 3.0))
    assert_close(thrice, 3 * once, 1e-15)
    assert_close(once.sum(axis=1), np.zeros(N), 1e-15)
