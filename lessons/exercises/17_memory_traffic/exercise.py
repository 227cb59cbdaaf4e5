"""Halve the memory traffic of a function, and predict what that brings.

Every elementwise operation on a GPU reads its arrays from memory and writes its result: the arithmetic is
free. `standardise` below makes four passes over the large array x (N, D). mean, std, gain and bias are
small (D,).

    y = (x − mean) / std · gain + bias

1. Rewrite it so that the large arrays are passed over only twice: it is x · a + b, with small a and b. More
   launches on small arrays are fine. The check counts bytes on a stand-in for the GPU.
2. `seconds(launches, bytes)`: a launch costs 8 µs, and 3e12 bytes pass through memory in a second. Small
   work is bound by launches, large work by bytes; since the two overlap, the larger of the two counts.

No function of NumPy is needed: operators work on both devices. For large x, `y += b` saves an array.
"""

from minigpt2.backend import Array

LAUNCH = 8e-6  # seconds
BANDWIDTH = 3e12  # bytes a second


def standardise(x: Array, mean: Array, std: Array, gain: Array, bias: Array) -> Array:
    """(N, D), four times (D,) -> (N, D)"""
    return (x - mean) / std * gain + bias  # (N, D)


def seconds(launches: int, moved: int) -> float:
    """What the work takes, at least"""
    raise NotImplementedError("your turn")
