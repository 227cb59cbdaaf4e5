# expect: this is a quarter of a cosine
import math


def rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Step 0 … steps -> the learning rate"""
    if step < warmup:
        return peak * (step + 1) / warmup
    if step == warmup:
        return peak
    fallen = (step - warmup) / (steps - warmup)
    return peak * math.cos(math.pi / 2 * fallen)
