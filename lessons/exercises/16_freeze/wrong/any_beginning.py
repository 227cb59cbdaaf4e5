# expect: after the pattern must come a dot
from collections.abc import Iterable, Sequence

from minigpt2.parameters import Parameters
from minigpt2.training.optimizer import AdamW


def frozen_names(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names that are a pattern or go on after it with a dot."""
    return [name for name in names if any(name.startswith(p) for p in patterns)]


def step(gradients: Parameters, optimizer: AdamW, lr: float, frozen: Iterable[str]) -> None:
    """One step in place; the parameters named in `frozen` stay bit for bit."""
    kept = {name: optimizer.parameters[name].copy() for name in frozen}
    optimizer.step(gradients, lr)
    for name, values in kept.items():
        optimizer.parameters[name][...] = values
