"""The Jacobian, row by row, then training with the learner's function in attention."""

from types import ModuleType

import numpy as np

from minigpt2.layers import softmax
from minigpt2.learn.checking import same_array
from minigpt2.learn.installing import trains_as_before


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(21)
    for shape in ((4,), (3, 4), (2, 3, 5, 4)):
        x, dy = rng.standard_normal(shape), rng.standard_normal(shape)
        x[..., 1] = -np.inf
        y, _ = softmax(x)
        right = np.empty(shape)
        for place in np.ndindex(shape[:-1]):
            jacobian = np.diag(y[place]) - np.outer(y[place], y[place])  # (T, T)
            right[place] = jacobian.T @ dy[place]
        same_array(
            right,
            exercise.softmax_backward(dy, y),
            f"softmax_backward for {shape}",
            [
                (y * dy, "raising one score lowers all other weights: the term with the sum is missing"),
                (
                    y * (1.0 - y) * dy,
                    "this is the diagonal of the Jacobian alone: every weight answers to every score",
                ),
                (
                    y * (dy - dy.mean(axis=-1, keepdims=True)),
                    "the average is weighted by y: Σ dy · y, not the mean of dy",
                ),
                (
                    y * (dy - dy.sum(axis=-1, keepdims=True)),
                    "the sum is Σ dy · y, each wish counts by its weight",
                ),
                (dy - (dy * y).sum(axis=-1, keepdims=True), "the factor y in front is missing"),
                (
                    y * (dy - (dy * y).sum(axis=min(1, y.ndim - 1), keepdims=True)),
                    "axis=1 is not the last axis here: use axis=-1",
                ),
                (
                    y * (dy - (dy * y).sum()),
                    "the sum goes over all rows: over the last axis alone, with keepdims=True",
                ),
            ],
        )
    trains_as_before("softmax", backward=lambda dy, ctx: exercise.softmax_backward(dy, ctx.y))
