"""Another right way."""

import math


def rate(step, steps, peak, warmup):
    if step < warmup:
        return (step + 1) * peak / warmup
    if steps == warmup:
        return peak
    return peak * math.cos(math.pi / 2 * (step - warmup) / (steps - warmup)) ** 2
