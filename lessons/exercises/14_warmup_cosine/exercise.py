"""The learning rate: straight up over a warm-up, then half a cosine down to 0.

    step < warmup      lr = peak · (step + 1) / warmup                        the first step is not lost
    step ≥ warmup      lr = peak · (1 + cos(π · fallen)) / 2,   fallen = (step − warmup) / (steps − warmup)

Steps count from 0. At step warmup − 1 and at step warmup the rate is the peak, at step `steps` it is 0. A
warm-up of 0 begins at the peak; a warm-up of all steps never comes down, and must not divide by 0.

Loshchilov, Hutter 2017, arXiv:1608.03983, equation 5. The package: `minigpt2/training/schedule.py`.
"""

import math


def rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Step 0 … steps -> the learning rate"""
    raise NotImplementedError("your turn")
