"""Is there such a layer, head, neuron or token? All are counted from 0."""

from typing import Any

import numpy as np

from ..errors import UsageError


def require_index(name: str, number: Any, count: int, where: str = "this model") -> int:
    """`number` as an int, if it lies in 0 … count−1. Raises UsageError, naming what there is, if not."""
    is_whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    if not is_whole or not 0 <= number < count:
        there_are = f"{name}s 0 to {count - 1}" if count > 1 else f"{name} 0 alone"
        raise UsageError(f"there is no {name} {number!r}: {where} has {there_are}")
    return int(number)


def require_count(name: str, number: Any) -> int:
    """`number` as an int, if it is a whole number of at least 1. Raises UsageError if not."""
    if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < 1:
        raise UsageError(f"{name} must be a whole number of at least 1, not {number!r}")
    return int(number)
