"""The learning rate of each step: straight up to a peak while Adam's moments settle, then down again.

    climbed = min(1, (step + 1) / warmup)                     1 from step `warmup` − 1 on
    fallen  = max(0, (step − warmup) / (steps − warmup))      0 at `warmup`, 1 at `steps`

    cosine      lr = peak · climbed · (1 + cos(π · fallen)) / 2
    linear      lr = peak · climbed · (1 − fallen)
    constant    lr = peak · climbed

Goyal et al. 2017, arXiv:1706.02677, section 2.2 (warm-up); Loshchilov, Hutter 2017, arXiv:1608.03983,
equation 5 (half a cosine); Devlin et al. 2019, arXiv:1810.04805, appendix A.2 (linear). A rate is a function
of the step alone, so a run that is resumed has nothing of it to remember.
"""

import math
from collections.abc import Callable

from ..errors import UsageError


def warmup_cosine(step: int, steps: int, peak: float, warmup: int) -> float:
    """The rate of `step` (from 0) of `steps`: up over `warmup` steps, then half a cosine to 0 at `steps`.

    Raises UsageError, as all schedules do, for a step outside 0 … steps, less than one step, a warm-up
    outside 0 … steps, or a peak that is no positive finite number.
    """
    climbed, fallen = _progress(step, steps, peak, warmup)
    return peak * climbed * 0.5 * (1.0 + math.cos(math.pi * fallen))


def warmup_linear(step: int, steps: int, peak: float, warmup: int) -> float:
    """The rate of `step` (from 0) of `steps`: up over `warmup` steps, then straight down to 0 at `steps`."""
    climbed, fallen = _progress(step, steps, peak, warmup)
    return peak * climbed * (1.0 - fallen)


def warmup_constant(step: int, steps: int, peak: float, warmup: int) -> float:
    """The rate of `step` (from 0) of `steps`: up over `warmup` steps, then `peak` for ever."""
    climbed, _ = _progress(step, steps, peak, warmup)
    return peak * climbed


SCHEDULES: dict[str, Callable[[int, int, float, int], float]] = {
    "cosine": warmup_cosine,
    "linear": warmup_linear,
    "constant": warmup_constant,
}


def _progress(step: int, steps: int, peak: float, warmup: int) -> tuple[float, float]:
    """How much of the way up and of the way down is done, each from 0 to 1."""
    if steps < 1:
        raise UsageError(f"a schedule over {steps} steps: it needs at least one")
    if not 0 <= step <= steps:
        raise UsageError(f"step {step} lies outside the schedule, which goes from 0 to {steps}")
    if not 0 <= warmup <= steps:
        raise UsageError(f"a warm-up of {warmup} steps does not fit into {steps} steps: give 0 to {steps}")
    if not (peak > 0.0 and math.isfinite(peak)):
        raise UsageError(f"the peak learning rate is {peak}: give a positive number")
    climbed = (step + 1) / warmup if step < warmup else 1.0
    fallen = (step - warmup) / (steps - warmup) if step > warmup else 0.0
    return climbed, fallen
