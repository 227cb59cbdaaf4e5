# expect: only the frozen names are put back
from collections.abc import Iterable, Sequence

from minigpt2.parameters import Parameters
from minigpt2.training.optimizer import AdamW


def frozen_names(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names that are a pattern or go on after it with a dot."""
    return [n for n in names if any((n + ".").startswith(p + ".") for p in patterns)]


def step(gradients: Parameters, optimizer: AdamW, lr: float, frozen: Iterable[str]) -> None:
    """One step in place; the parameters named in `frozen` stay bit for bit."""
    old = optimizer.parameters.flat.copy()
    optimizer.step(gradients, lr)
    optimizer.parameters.flat[:] = old
