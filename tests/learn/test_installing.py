"""A learner's layer in the running package: used everywhere, gone afterwards, trained with."""

import subprocess
import sys

import numpy as np
import pytest
from programs import environment

from minigpt2 import layers
from minigpt2.errors import UsageError
from minigpt2.layers import layernorm, layernorm_backward, linear, linear_backward
from minigpt2.learn.checking import WrongAnswer
from minigpt2.learn.installing import install, train_tiny, trains_as_before

PAIRS = ["linear", "layernorm", "softmax", "gelu", "embedding", "mlp", "attention", "attend", "cross_entropy"]


def holders(name):
    own = [m for key, m in sys.modules.items() if key.partition(".")[0] == "minigpt2"]
    return {m.__name__: vars(m)[name] for m in own if name in vars(m)}


@pytest.mark.parametrize("layer", PAIRS)
def test_the_installed_pair_is_called_and_taken_out_again(layer):
    forward, backward = getattr(layers, layer), getattr(layers, f"{layer}_backward")
    before = holders(layer), holders(f"{layer}_backward")
    calls = []

    def mine(*args, **options):
        calls.append("forward")
        y, ctx = forward(*args, **options)
        return y, {"mine": ctx}

    def mine_backward(dy, ctx):
        calls.append("backward")
        return backward(dy, ctx["mine"])

    right = train_tiny(2)
    with install(layer, mine, mine_backward):
        assert train_tiny(2) == right
    assert {"forward", "backward"} <= set(calls)
    assert (holders(layer), holders(f"{layer}_backward")) == before


def test_it_is_taken_out_after_an_error_too():
    before = holders("linear_backward")
    with pytest.raises(ZeroDivisionError), install("linear", backward=lambda dy, ctx: 1 / 0):
        train_tiny(1)
    assert holders("linear_backward") == before


def test_a_backward_alone_gets_the_packages_context():
    with install("layernorm", backward=lambda dy, ctx: layernorm_backward(dy, ctx)):
        assert train_tiny(2) == train_tiny(2)


def test_training_learns():
    losses = train_tiny(12)
    assert losses[-1] < 0.8 * losses[0]


def test_a_wrong_gradient_is_told_from_a_wrong_forward():
    def half(dy, ctx):
        dx, dweight, dbias = linear_backward(dy, ctx)
        return 0.5 * dx, dweight, dbias

    with pytest.raises(WrongAnswer, match="so the gradient is not"):
        trains_as_before("linear", backward=half)
    with pytest.raises(WrongAnswer, match="so forward is not the same"):
        trains_as_before("linear", lambda x, w, b: linear(x, w, 2.0 * b), linear_backward)
    with pytest.raises(WrongAnswer, match="should return two things, y and ctx"):
        trains_as_before("layernorm", lambda x, *rest: layernorm(x, *rest)[0], layernorm_backward)


def test_nan_is_no_agreement():
    with pytest.raises(WrongAnswer), np.errstate(all="ignore"):
        trains_as_before("gelu", backward=lambda dy, ctx: np.full_like(dy, np.nan))


def test_what_cannot_be_installed():
    with pytest.raises(UsageError, match="there is no layer 'lstm'"), install("lstm"):
        pass
    with pytest.raises(UsageError, match="needs its backward"), install("linear", linear):
        pass


def test_as_the_first_thing_that_is_computed():
    """Kernels are looked for at the first array, and stand for the package's own layers."""
    code = """
from minigpt2.learn.installing import install, train_tiny
from minigpt2.layers import layernorm, layernorm_backward
with install("layernorm", lambda *x: layernorm(*x), lambda dy, ctx: layernorm_backward(dy, ctx)):
    first = train_tiny(2)
assert train_tiny(2) == first
from minigpt2 import kernels
assert kernels.registered()
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
