# expect: mean is shifted before the scale
from minigpt2.backend import Array

LAUNCH = 8e-6  # seconds
BANDWIDTH = 3e12  # bytes a second


def standardise(x: Array, mean: Array, std: Array, gain: Array, bias: Array) -> Array:
    """(N, D), four times (D,) -> (N, D)"""
    a = gain / std  # (D,)
    b = bias - mean
    y = x * a  # (N, D)
    y += b
    return y


def seconds(launches: int, moved: int) -> float:
    """What the work takes, at least"""
    return max(launches * LAUNCH, moved / BANDWIDTH)
