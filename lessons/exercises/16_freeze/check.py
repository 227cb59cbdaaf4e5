"""Steps with and without freezing, after steps that have left momentum."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import WrongAnswer, same_value
from minigpt2.parameters import Parameters
from minigpt2.training.optimizer import AdamW

SHAPES = {"wte.weight": (4, 3), "h.1.w": (3, 3), "h.10.w": (3, 2), "ln_f.bias": (3,)}


def check(exercise: ModuleType) -> None:
    names = list(SHAPES)
    same_value(
        ["wte.weight", "h.1.w"],
        exercise.frozen_names(names, ["wte", "h.1"]),
        "frozen_names(names, ['wte', 'h.1'])",
        [
            (
                ["wte.weight", "h.1.w", "h.10.w"],
                "'h.10.w' begins with 'h.1', too: after the pattern must come a dot, or the end",
            ),
            ([], "the patterns are the beginnings of names, not whole names"),
            (["h.10.w", "ln_f.bias"], "these are the ones that are not frozen"),
        ],
    )
    same_value(
        ["ln_f.bias"],
        exercise.frozen_names(names, ["ln_f.bias"]),
        "frozen_names(names, ['ln_f.bias'])",
        [([], "a pattern may be a whole name")],
    )
    same_value([], exercise.frozen_names(names, []), "frozen_names(names, [])")

    runs = []
    for own in (True, False):
        rng = np.random.default_rng(43)
        parameters = Parameters(rng.standard_normal(sum(np.prod(s) for s in SHAPES.values())), SHAPES)
        optimizer = AdamW(parameters, decay=0.1)
        gradients = parameters.zeros_like()
        gradients.flat[:] = rng.standard_normal(gradients.flat.shape)
        optimizer.step(gradients, 0.1)  # leaves momentum
        before = {name: view.copy() for name, view in parameters.items()}
        for _ in range(2):
            gradients.flat[:] = rng.standard_normal(gradients.flat.shape)
            if own:
                exercise.step(gradients, optimizer, 0.1, ["wte.weight", "ln_f.bias"])
            else:
                optimizer.step(gradients, 0.1)
        runs.append((before, parameters))
    (before, mine), (_, free) = runs
    for name in ("wte.weight", "ln_f.bias"):
        moved = mine[name] - before[name]
        if moved.any():
            shrunk = np.allclose(mine[name], before[name] * (1 - 0.1 * 0.1) ** 2)
            raise WrongAnswer(
                f"{name} is frozen and has moved by up to {np.abs(moved).max():.3g}",
                reason="weight decay shrinks it, whatever its gradient is: put the old values back after "
                "the step"
                if shrunk
                else "its gradient may be zero, but momentum and weight decay still move it: put the old "
                "values back"
                if not np.array_equal(mine[name], free[name])
                else "nothing is frozen: the step is the usual one",
            )
    for name in ("h.1.w", "h.10.w"):
        if not np.allclose(mine[name], free[name]):
            raise WrongAnswer(
                f"{name} is not frozen, and does not move as it would without freezing",
                reason="it has not moved at all: only the frozen names are put back"
                if np.array_equal(mine[name], before[name])
                else "the other parameters must not notice the freezing: is the optimizer stepped once?",
            )
