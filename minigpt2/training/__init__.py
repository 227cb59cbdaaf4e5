"""Learning: losses with their hand-written gradients, the optimizer, and a trainer that a kill cannot hurt.

    from minigpt2.training import Trainer, TrainingSet, TrainingSettings

Read in this order: `losses/`, `gradients.py`, `optimizer.py`, `schedule.py`, `trainer.py`. The names above
are imported when they are first used.
"""

import importlib
from typing import Any

_HOME_OF = {
    "Trainer": "trainer",
    "TrainingResult": "trainer",
    "TrainingSet": "examples",
    "TrainingSettings": "settings",
}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'minigpt2.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
