import math

import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import F, N, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import gelu, gelu_backward


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_loops(layout, xp):
    x = 3 * normal(N, F)
    y, _ = gelu(laid_out(x, layout, xp))
    assert_close(y, naive.gelu(x.tolist()), 1e-14)


def test_is_within_5e_4_of_the_exact_form_and_not_equal_to_it(xp):
    x = np.linspace(-5, 5, 1001)
    exact = np.array([value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.tolist()])
    y, _ = gelu(asarray(x[None], xp))
    difference = np.abs(to_numpy(y)[0] - exact).max()
    assert 1e-4 < difference < 5e-4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_from_zero_it_is_the_identity_or_zero(dtype, xp):
    x = xp.asarray([[-1e4, -50.0, 0.0, 50.0, 1e4]], dtype=dtype)
    y, ctx = gelu(x)
    assert y.tolist() == [[0.0, 0.0, 0.0, 50.0, 1e4]]
    assert gelu_backward(xp.ones_like(x), ctx).tolist() == [[0.0, 0.0, 0.5, 1.0, 1.0]]
