import naive
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import D, F, N, normal

from minigpt2.backend import asarray
from minigpt2.layers import linear, linear_backward


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_loops(layout, xp):
    x, weight, bias = normal(N, D), normal(D, F), normal(F)
    y, _ = linear(*(laid_out(array, layout, xp) for array in (x, weight, bias)))
    assert_close(y, naive.linear(x.tolist(), weight.tolist(), bias.tolist()), 1e-13)


def test_context_holds_the_weight_itself(xp):
    weight = asarray(normal(D, F), xp)
    _, ctx = linear(asarray(normal(N, D), xp), weight, asarray(normal(F), xp))
    assert ctx.weight is weight


def test_the_bias_gradient_counts_every_row(xp):
    _, ctx = linear(asarray(normal(N, D), xp), asarray(normal(D, F), xp), asarray(normal(F), xp))
    _, _, dbias = linear_backward(xp.ones((N, F)), ctx)
    assert dbias.tolist() == [N] * F
