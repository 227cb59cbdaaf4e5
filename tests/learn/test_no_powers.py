"""An array without powers: everything but powers works as on any array."""

import numpy as np
import pytest

from minigpt2.learn.checking import WrongAnswer
from minigpt2.learn.no_powers import NoPowers


@pytest.mark.parametrize("power", [lambda x: x**3, lambda x: np.power(x, 3), lambda x: np.float_power(x, 3)])
def test_a_power_is_refused_in_slices_and_results_too(power):
    x = np.ones((3, 2)).view(NoPowers)
    for values in (x, x[1:], x * 2.0, np.tanh(x)):
        with pytest.raises(WrongAnswer, match="raises an array to a power"):
            power(values)


def test_everything_else_is_as_it_was(rng):
    x = rng.standard_normal((3, 2))
    mine = x.copy().view(NoPowers)
    out = np.empty_like(mine)
    np.multiply(mine, mine, out=out)
    out += mine
    np.tanh(out, out=out)
    assert np.array_equal(np.asarray(out), np.tanh(x * x + x))
    assert np.asarray(mine.sum()) == x.sum()
    mine[1:] *= 2.0
    assert np.array_equal(np.asarray(mine), np.concatenate([x[:1], 2.0 * x[1:]]))
