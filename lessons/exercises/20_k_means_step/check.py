"""Plain loops; the memory of `assign` is measured."""

import tracemalloc
from types import ModuleType

import numpy as np

from minigpt2.learn.checking import require, same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(62)
    M, k, D = 12, 4, 3
    x = rng.standard_normal((M, D))
    centres = rng.standard_normal((k, D)) * np.array([[0.2], [1.0], [3.0], [1.0]])
    squared = ((x[:, None] - centres) ** 2).sum(axis=2)
    same_array(
        squared.argmin(axis=1),
        exercise.assign(x, centres),
        "assign(x, centres)",
        [
            ((x @ centres.T).argmax(axis=1), "this is the largest dot product: long centres win; add ‖c‖²"),
            (squared.argmax(axis=1), "this is the farthest centre: argmin"),
            (
                ((centres * centres).sum(axis=1) - x @ centres.T).argmin(axis=1),
                "the 2 in front of x·c is missing",
            ),
            (
                (-2.0 * (x @ centres.T)).argmin(axis=1),
                "‖c‖² is missing: centres of different lengths cannot be compared without it",
            ),
            (lambda y: y.shape == (k,), "one number for each row of x: argmin over the centres, axis=1"),
        ],
    )
    same_array(
        np.array([0]),
        exercise.assign(np.zeros((1, 2)), np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]])),
        "assign of a row between centres 0 and 1",
        [(np.array([1]), "of two centres that are equally near the lower number is asked for")],
    )
    groups = np.array([0, 0, 2, 3, 2, 0, 3, 3, 2, 0, 2, 2])  # group 1 has no rows
    right = centres.copy()
    for group in (0, 2, 3):
        right[group] = x[groups == group].mean(axis=0)
    zero = right.copy()
    zero[1] = 0.0
    sums = np.stack([x[groups == g].sum(axis=0) for g in range(k)])
    same_array(
        right,
        exercise.centres_of(x, groups, centres),
        "centres_of(x, groups, old), group 1 without rows",
        [
            (
                lambda y: np.isnan(y).any(),
                "the mean of no rows is NaN: a group without rows keeps its old centre",
            ),
            (zero, "a group without rows keeps its old centre; yours moves it to 0"),
            (sums, "these are the sums: divide by the rows of the group"),
            (sums / M, "divide by the rows of the group, not by all M"),
            (
                lambda y: np.allclose(y[1], centres[1]) and np.allclose(y[[0, 2, 3]], sums[[0, 2, 3]]),
                "these are the sums: divide by the rows of the group",
            ),
        ],
    )
    many, few = rng.standard_normal((1000, 40)), rng.standard_normal((50, 40))
    tracemalloc.start()
    exercise.assign(many, few)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    require(
        peak < 1000 * 50 * 40 * 8 / 2,
        f"assign takes {peak / 1e6:.0f} MB; the (M, k) distances have 0.4 MB",
        "there is an (M, k, D) array: multiply the square out and use one product",
    )
