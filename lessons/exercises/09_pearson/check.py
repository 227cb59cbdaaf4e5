"""The package's pairwise Pearson, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array
from minigpt2.similarity import pairwise


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(16)
    a, b = 2.0 + rng.standard_normal((4, 6)), rng.standard_normal((4, 6)) - 1.0
    a[3], b[3] = 1e-3 * a[3], 1e-3 * b[3]  # short rows correlate as well as long ones
    yours = exercise.pearson(a, b)
    x, y = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    p, q = a - a.mean(axis=0), b - b.mean(axis=0)
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    same_array(
        pairwise(a, b, "pearson"),
        yours,
        "pearson(a, b)",
        [
            (
                lambda yours: yours.shape == (4, 4),
                "each row of a meets the same row of b alone, not all rows of b",
            ),
            (pairwise(a, b, "cosine"), "this is the cosine: take each row's mean away first"),
            (
                pairwise(p, q, "cosine"),
                "the mean of each column is taken away; each row loses its own: axis=1",
            ),
            (
                pairwise(a - a.mean(), b - b.mean(), "cosine"),
                "one mean of the whole array is taken away; each row loses its own: axis=1, keepdims=True",
            ),
            ((x * y).sum(axis=1), "this is not divided by the two lengths"),
            ((x * y).mean(axis=1), "this is the covariance: divide by both standard deviations"),
            ((x * y).sum(axis=1) / norms**2, "you divide by the squared lengths: a root is missing"),
            (
                (x * y).sum(axis=1) / norms * 5 / 6,
                "the covariance is divided by D and the deviations by D − 1: the same for both, ddof=0",
            ),
            ((x * y).sum(axis=1) / norms / 6, "lengths and sum belong together: do not divide by D as well"),
            (
                (x * b).sum(axis=1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(b, axis=1)),
                "only a is centred: b loses its mean, too",
            ),
        ],
    )
    flat = exercise.pearson(np.array([[3.0, 3.0, 3.0]]), np.array([[1.0, 2.0, 4.0]]))
    same_array(
        np.zeros(1),
        flat,
        "pearson of a row of equal numbers",
        [(lambda y: np.isnan(y).any(), "0/0: a row of equal numbers has length 0 after centring; give 0")],
    )
