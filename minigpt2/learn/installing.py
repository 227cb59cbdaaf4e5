"""Putting a learner's layer into the running package, and training with it.

    with install("layernorm", forward, backward):
        losses = train_tiny()

Forward returns `y, ctx` and backward takes `dy, ctx`, as every layer of the package does; what the context
holds is the learner's business. One of the two may be None: then the package's own stays.
"""

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import layers
from ..backend import Array
from ..config import GPT2Config
from ..errors import UsageError
from ..kernels import registered, use_kernels
from ..model import GPT2
from ..parameters import Parameters
from ..ragged import TokenBatch
from ..training.optimizer import AdamW
from .checking import WrongAnswer

TINY = GPT2Config(vocab_size=13, n_positions=9, n_embd=8, n_layer=2, n_head=2, n_inner=12)
SENTENCES = [[1, 5, 2, 5, 2], [3, 7, 12, 4], [1, 5, 2], [9, 8, 9, 8, 9, 8]]
STEPS = 6
LR = 0.02


class InstalledContext(NamedTuple):
    """The learner's context, and the input that the model itself looks at."""

    x: Array  # the layer's first input
    y: Array  # its output
    own: Any


@contextlib.contextmanager
def install(
    layer: str, forward: Callable[..., Any] | None = None, backward: Callable[..., Any] | None = None
) -> Iterator[None]:
    """While the block runs, the package computes `layer` by these functions, wherever it uses that layer.

    The other layers run as they are written (`use_kernels("explicit")`): a kernel computes a whole block
    without asking for the layers in it.

    layer     a name that `minigpt2.layers` has as a pair: "linear", "layernorm", "softmax", "gelu" …
    forward   the layer's arguments -> y, ctx
    backward  dy, ctx -> what the layer's backward returns; with `forward` None, ctx is the package's

    Raises UsageError for a layer that there is not, or a `forward` without a `backward` to read its context.
    """
    if f"{layer}_backward" not in layers.__all__:
        known = ", ".join(name for name in layers.__all__ if f"{name}_backward" in layers.__all__)
        raise UsageError(f"there is no layer {layer!r}: use one of {known}")
    if backward is None and forward is not None:
        raise UsageError(f"a forward of {layer} needs its backward: the package cannot read its context")
    replaced = []
    if forward is not None:
        replaced += _replace(layer, _forward(layer, forward))
        replaced += _replace(f"{layer}_backward", _backward(backward))
    elif backward is not None:
        replaced += _replace(f"{layer}_backward", backward)
    try:
        with use_kernels("explicit"):
            yield
    finally:
        for module, name, original in replaced:
            setattr(module, name, original)


def train_tiny(steps: int = STEPS) -> list[float]:
    """The losses of a tiny model before each of `steps` steps of AdamW on next tokens, in float64."""
    model = GPT2(TINY, random_parameters())
    optimizer = AdamW(model.parameters)
    batch = TokenBatch(SENTENCES)
    losses = []
    for _ in range(steps):
        loss, ctx = model.loss(batch, keep=True)
        gradients = model.parameters.zeros_like()
        model.loss_backward(ctx, gradients)
        optimizer.step(gradients, LR)
        losses.append(float(loss))
    return losses


def trains_as_before(
    layer: str, forward: Callable[..., Any] | None = None, backward: Callable[..., Any] | None = None
) -> list[float]:
    """The losses with the learner's layer installed. Raises WrongAnswer unless they are the package's."""
    right = train_tiny()
    with install(layer, forward, backward):
        yours = train_tiny()
    same_losses(right, yours, layer)
    return yours


def same_losses(right: list[float], yours: list[float], layers: str) -> None:
    """Raise WrongAnswer unless a training with the learner's layers has had the losses of the package's."""
    for step, (a, b) in enumerate(zip(right, yours, strict=True)):
        if not abs(a - b) <= 1e-6 * abs(a):
            raise WrongAnswer(
                f"with your {layers} in the model, training goes another way: "
                f"loss {b:.6g} at step {step}, the package's is {a:.6g}",
                expected=np.array(right),
                yours=np.array(yours),
                reason="the loss before the first step is right, so the gradient is not"
                if step
                else "the very first loss differs, so forward is not the same",
            )


def random_parameters() -> Parameters:
    """All random, gains about 1: with biases of 0 and gains of 1 some mistakes would not show."""
    parameters = Parameters.empty(TINY, np, np.float64)
    rng = np.random.default_rng(5)
    parameters.flat[:] = 0.3 * rng.standard_normal(parameters.flat.shape)
    for name, view in parameters.items():
        if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")):
            view += 1.0
    return parameters


def _forward(layer: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    def installed(x: Array, *others: Any, **options: Any) -> tuple[Array, InstalledContext]:
        result = forward(x, *others, **options)
        if not isinstance(result, tuple) or len(result) != 2:
            raise WrongAnswer(f"{layer} should return two things, y and ctx")
        return result[0], InstalledContext(x, *result)

    return installed


def _backward(backward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda dy, ctx: backward(dy, ctx.own)


def _replace(name: str, function: Callable[..., Any]) -> list[tuple[Any, str, Any]]:
    """Put `function` under `name` into every module that has the package's own; what was there before."""
    importlib.import_module("minigpt2.model")
    registered()  # kernels are registered with the package's own functions, so before one is replaced
    original = getattr(layers, name)
    modules = [module for key, module in list(sys.modules.items()) if key.split(".")[0] == "minigpt2"]
    holders = [module for module in modules if vars(module).get(name) is original]
    for module in holders:
        setattr(module, name, function)
    return [(module, name, original) for module in holders]
