"""Say how wrong a gradient is, as one number that means the same for large and for small gradients.

    relative_error(a, n) = ‖a − n‖ / max(‖a‖, ‖n‖, floor)           ‖·‖ the length over all entries

About 1e-10 for a right gradient in float64, about 1 for a wrong one, whatever the size of the loss. Where
both are smaller than `floor` they count as zero: rounding is not a bug. A NaN anywhere must never look like
agreement: then the error is infinite. Shapes that differ are a ValueError: broadcasting would hide them.

And the verdict: `agree(a, n)` is True exactly where the error is at most 1e-6.
The package: `minigpt2/gradcheck.py`.
"""

import math

import numpy as np


def relative_error(a: np.ndarray, n: np.ndarray, floor: float = 1e-10) -> float:
    """Two gradients of one shape -> 0 … 2, infinite where one holds NaN"""
    raise NotImplementedError("your turn")


def agree(a: np.ndarray, n: np.ndarray) -> bool:
    """Is the error at most 1e-6?"""
    raise NotImplementedError("your turn")
