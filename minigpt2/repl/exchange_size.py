"""How much memory a reply holds, roughly: what bounds a long conversation.

Counted are arrays, texts, numbers in lists, and what the pictures of a reply hold. A list of numbers is taken
to be numbers throughout, so a large matrix costs a look at each of its rows and no more.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

A_NUMBER = 32  # bytes of a Python float in a list
AN_OBJECT = 64


def size_of(value: Any, depth: int = 12) -> int:
    """Bytes, within a factor of two or so; what lies deeper than `depth` is not counted."""
    if isinstance(value, np.ndarray):
        return AN_OBJECT + value.nbytes
    if isinstance(value, (str, bytes)):
        return AN_OBJECT + len(value)
    if value is None or isinstance(value, (int, float)) or depth == 0:
        return A_NUMBER
    if isinstance(value, Mapping):
        return AN_OBJECT + sum(size_of(item, depth - 1) for item in value.values())
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], (int, float)):
            return AN_OBJECT + A_NUMBER * len(value)
        return AN_OBJECT + sum(size_of(item, depth - 1) for item in value)
    return AN_OBJECT + size_of(getattr(value, "__dict__", None), depth - 1)
