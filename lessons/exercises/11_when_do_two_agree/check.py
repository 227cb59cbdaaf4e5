"""Gradients of many sizes, with and without a mistake."""

import math
from types import ModuleType

import numpy as np

from minigpt2.learn.checking import WrongAnswer, number, require, same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(25)
    a, n = rng.standard_normal((2, 3, 4))
    length = np.linalg.norm
    for size in (1.0, 1e6, 1e-6):
        x, y = size * a, size * n
        same_array(
            np.array(length(x - y) / max(length(x), length(y))),
            exercise.relative_error(x, y),
            f"relative_error of two gradients of size {size:g}",
            [
                (
                    np.array(length(x - y)),
                    "this is absolute: a small wrong gradient would pass, a large right one would not",
                ),
                (np.array(np.abs(x - y).max()), "this is absolute: divide by the size of the gradients"),
                (
                    np.array(length(x - y) / (length(x) + length(y))),
                    "divide by the larger of the two lengths, not by their sum",
                ),
                (
                    np.array(np.abs(x - y).max() / max(np.abs(x).max(), np.abs(y).max())),
                    "‖·‖ is the length over all entries, not the largest entry",
                ),
                (
                    np.array((np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))).max()),
                    "entry by entry, an entry near 0 looks wrong by chance: take the lengths over all "
                    "entries",
                ),
            ],
        )
    zero = number(exercise.relative_error(np.zeros(3), np.full(3, 1e-14)), "relative_error")
    require(
        zero < 1e-3,
        f"two gradients that are zero but for rounding: error {zero}",
        "divide by no less than `floor`",
    )
    both = exercise.relative_error(np.zeros(3), np.zeros(3))
    require(
        both == 0.0, f"relative_error of zeros with zeros is {both}", "0/0: divide by no less than `floor`"
    )
    same_array(
        np.array(length(a - n) / 50.0),
        exercise.relative_error(a, n, 50.0),
        "relative_error of two gradients shorter than floor = 50",
        [(lambda y: True, "`floor` is handed in: divide by no less than it, whatever it is")],
    )
    bad = np.array([1.0, math.nan])
    for x, y in ((bad, np.ones(2)), (np.ones(2), bad), (bad, bad)):
        error = exercise.relative_error(x, y)
        require(
            error == math.inf,
            f"with a NaN the error is {error}",
            "comparisons with NaN are False, so it slips through: test for it",
        )
        require(
            not agrees(exercise, x, y),
            "a gradient with NaN agrees",
            "`not error > 1e-6` is True for NaN; ask `error <= 1e-6`",
        )
    try:
        exercise.relative_error(np.ones((3, 1)), np.ones(3))
    except ValueError:
        pass
    else:
        raise WrongAnswer(
            "shapes (3, 1) and (3,) raise no ValueError",
            reason="a − n broadcasts to (3, 3), and nobody notices",
        )
    require(agrees(exercise, a, a * (1 + 9e-7)), "gradients that differ by 9e-7 of their size should agree")
    require(
        not agrees(exercise, a, a * (1 + 1.2e-6)),
        "gradients that differ by 1.2e-6 of their size agree",
        "at most 1e-6",
    )
    require(
        not agrees(exercise, 1e-9 * a, 1e-9 * n),
        "two small gradients that are quite different agree",
        "compare the relative error",
    )


def agrees(exercise: ModuleType, a: np.ndarray, n: np.ndarray) -> bool:
    """What agree says, which must be True or False."""
    said = exercise.agree(a, n)
    require(
        isinstance(said, (bool, np.bool_)), f"agree gives a {type(said).__name__}, expected is True or False"
    )
    return bool(said)
