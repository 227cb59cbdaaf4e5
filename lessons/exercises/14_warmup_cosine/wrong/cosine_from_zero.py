# expect: the cosine begins at step 0
import math


def rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Step 0 … steps -> the learning rate"""
    if step < warmup:
        return peak * (step + 1) / warmup
    fallen = step / steps
    return peak * 0.5 * (1.0 + math.cos(math.pi * fallen))
