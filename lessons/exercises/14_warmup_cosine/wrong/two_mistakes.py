# expect: the first step has rate 0 and is lost: (step + 1) / warmup
import math


def rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Step 0 … steps -> the learning rate"""
    if step < warmup:
        return peak * step / warmup
    return peak * (1.0 + math.cos(math.pi * step / steps)) / 2.0
