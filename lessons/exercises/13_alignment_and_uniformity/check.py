"""The package's gauges, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.collapse import collapse_of
from minigpt2.layers import normalize
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(34)
    x = normalize(rng.standard_normal((10, 3)))[0]
    a, b = x[:5], x[5:]
    measured = collapse_of(x, (np.arange(5), np.arange(5, 10)))
    squared = ((a - b) ** 2).sum(axis=1)
    same_array(
        np.array(measured.alignment),
        exercise.alignment(a, b),
        "alignment(a, b)",
        [
            (np.array(np.sqrt(squared).mean()), "the distance is squared: no root"),
            (
                np.array(((a - b) ** 2).mean()),
                "the squares of a pair add up over the D columns; only the pairs are averaged",
            ),
            (np.array(squared.sum()), "the mean over the pairs is asked for"),
            (np.array((a * b).sum(axis=1).mean()), "this is the mean cosine; ‖a − b‖² = 2 − 2·cosine"),
        ],
    )
    all_squared = ((x[:, None] - x) ** 2).sum(axis=2)
    off = ~np.eye(10, dtype=bool)
    same_array(
        np.array(measured.uniformity),
        exercise.uniformity(x),
        "uniformity(x)",
        [
            (
                np.log(np.exp(-2.0 * all_squared).mean()),
                "each row's distance to itself, 0, is counted: leave out the diagonal",
            ),
            (np.log(np.exp(-2.0 * np.sqrt(all_squared[off])).mean()), "the distance is squared: no root"),
            (np.log(np.exp(-all_squared[off]).mean()), "the factor 2 in the exponent is missing"),
            (
                (-2.0 * all_squared[off]).mean(),
                "log of the mean of exp is not the mean: exp first, then mean, then log",
            ),
            (np.exp(-2.0 * all_squared[off]).mean(), "the logarithm is missing"),
            (np.log(np.exp(-2.0 * all_squared[off]).sum()), "the mean over the pairs, not the sum"),
            (
                np.log(np.exp(2.0 * all_squared[off]).mean()),
                "the sign in the exponent: far pairs should count little",
            ),
        ],
    )
    same = np.tile([0.0, 1.0], (4, 1))  # exact: 2 − 2·cosine is 0 and not nearly 0
    same_array(np.array(0.0), exercise.uniformity(same), "uniformity of one vector, four times")
