"""Train the last layers of a model and leave the rest bit for bit as it is.

Fine-tuning often freezes the token table and the first blocks. Setting their gradients to zero looks enough
and is not: AdamW's weight decay still shrinks them, and momentum from earlier steps still moves them.

    frozen_names(names, patterns)      which names are frozen: those that begin with one of the patterns,
                                       where "h.1" means block 1 and not block 10 … 19
    step(gradients, optimizer, lr, frozen)
                                       one step of minigpt2's AdamW; frozen ones stay bit for bit, all others
                                       move as without freezing

`optimizer.step(gradients, lr)` moves `optimizer.parameters` in place. The package:
`minigpt2/training/optimizer.py`.
"""

from collections.abc import Iterable, Sequence

from minigpt2.parameters import Parameters
from minigpt2.training.optimizer import AdamW


def frozen_names(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The names that are a pattern or go on after it with a dot."""
    raise NotImplementedError("your turn")


def step(gradients: Parameters, optimizer: AdamW, lr: float, frozen: Iterable[str]) -> None:
    """One step in place; the parameters named in `frozen` stay bit for bit."""
    raise NotImplementedError("your turn")
