"""The package's softmax, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import softmax
from minigpt2.learn.checking import WrongAnswer, same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(1)
    for shape in ((5,), (4, 5), (2, 3, 4, 6)):
        x = rng.standard_normal(shape)
        compare(exercise, x, f"softmax of scores of shape {shape}")
    x = np.array([[2.0, -np.inf, 1.0], [-np.inf, 0.5, -np.inf]])
    compare(exercise, x, "softmax with hidden scores (-inf)")
    for x in (np.array([[1000.0, 999.0, 0.0]]), np.array([[1000.0, 999.0], [-1000.0, -1001.0]])):
        yours = exercise.softmax(x.copy())
        if not np.isfinite(yours).all():
            whole = np.exp(x - x.max())
            raise WrongAnswer(
                f"softmax({x.tolist()}) is {np.round(yours, 3).tolist()}",
                reason="the maximum of the whole array is taken away; rows that lie far below it vanish: "
                "take each row's own"
                if len(x) > 1 and (whole.sum(axis=1) == 0).any()
                else "exp overflows: take each row's maximum away before exp; it cancels in the quotient",
            )
        same_array(
            softmax(x)[0],
            yours,
            "softmax of large scores",
            [
                (
                    lambda y: True,
                    "clipping scores or replacing NaN loses what tells them apart: take each row's maximum "
                    "away before exp",
                )
            ],
        )


def compare(exercise: ModuleType, x: np.ndarray, name: str) -> None:
    with np.errstate(all="ignore"):
        e, stable = np.exp(x), np.exp(x - x.max(axis=-1, keepdims=True))
        mistakes = [
            (e, "your rows do not sum to 1: divide by their sum"),
            (
                stable / stable.sum(),
                "you divide by the sum of all entries: sum over the last axis, with keepdims=True",
            ),
            (
                e / e.sum(axis=0, keepdims=True),
                "the columns sum to 1, not the rows: the last axis is axis=-1",
            ),
            (
                e / e.sum(axis=min(1, x.ndim - 1), keepdims=True),
                "axis=1 is not the last axis here: use axis=-1",
            ),
            (x / x.sum(axis=-1, keepdims=True), "exp is missing: weights must be positive"),
        ]
    same_array(softmax(x)[0], exercise.softmax(x.copy()), name, mistakes)
