import naive
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import D, N, mlp_weights, normal

from minigpt2.layers import mlp


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_loops(layout, xp):
    x, weights = normal(N, D), mlp_weights()
    y, _ = mlp(laid_out(x, layout, xp), {name: laid_out(w, layout, xp) for name, w in weights.items()})
    assert_close(y, naive.mlp(x.tolist(), {name: w.tolist() for name, w in weights.items()}), 1e-13)
