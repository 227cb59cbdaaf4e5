# expect: the first step has rate 0 and is lost
import math


def rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Step 0 … steps -> the learning rate"""
    if step < warmup:
        return peak * step / warmup
    if step == warmup:
        return peak
    fallen = (step - warmup) / (steps - warmup)
    return peak * 0.5 * (1.0 + math.cos(math.pi * fallen))
