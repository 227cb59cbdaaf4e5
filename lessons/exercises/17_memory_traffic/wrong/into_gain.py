# expect: changes its input gain


from minigpt2.backend import Array


def standardise(x: Array, mean: Array, std: Array, gain: Array, bias: Array) -> Array:
    """(N, D), four times (D,) -> (N, D)"""
    gain /= std
    bias -= mean * gain
    return x * gain + bias


def seconds(launches: int, moved: int) -> float:
    """What the work takes, at least"""
    return max(launches * 8e-6, moved / 3e12)
