"""The package's schedule at every step."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import number, same_array
from minigpt2.training.schedule import warmup_cosine


def check(exercise: ModuleType) -> None:
    for steps, warmup in ((10, 3), (8, 0), (5, 5)):
        peak = 0.02
        at = np.arange(steps + 1)
        right = np.array([warmup_cosine(int(s), steps, peak, warmup) for s in at])
        yours = np.array(
            [number(exercise.rate(s, steps, peak, warmup), f"rate({s}, {steps}, …)") for s in at.tolist()]
        )
        rest = max(1, steps - warmup)
        up = np.minimum(1.0, (at + 1) / max(1, warmup)) * peak
        fallen = np.maximum(0, at - warmup) / rest
        same_array(
            right,
            yours,
            f"the rates of steps 0 … {steps}, warm-up {warmup}",
            [
                (
                    np.where(at < warmup, peak * at / max(1, warmup), right),
                    "the first step has rate 0 and is lost: (step + 1) / warmup",
                ),
                (
                    np.where(at < warmup, up, peak * 0.5 * (1 + np.cos(np.pi * at / steps))),
                    "the cosine begins at step 0: `fallen` counts from the end of the warm-up",
                ),
                (
                    np.where(at < warmup, up, peak * 0.5 * (1 + np.cos(np.pi * (at - warmup) / steps))),
                    "the fall lasts steps − warmup, not all steps: at the last step it is not 0",
                ),
                (
                    np.where(at < warmup, up, peak * np.cos(np.pi * fallen)),
                    "half a cosine from 1 to −1, lifted and halved: (1 + cos) / 2",
                ),
                (
                    np.where(at < warmup, up, peak * np.cos(np.pi / 2 * fallen)),
                    "this is a quarter of a cosine: (1 + cos(π · fallen)) / 2",
                ),
                (np.where(at < warmup, up, peak * (1 - fallen)), "this falls in a straight line"),
                (np.where(at < warmup, up, peak * 0.5 * (1 + np.cos(fallen))), "π is missing in the cosine"),
                (
                    lambda y, warmup=warmup: warmup > 0 and y[0] == 0.0,
                    "the first step has rate 0 and is lost: (step + 1) / warmup",
                ),
            ],
        )
