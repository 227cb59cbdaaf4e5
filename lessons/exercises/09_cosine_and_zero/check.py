"""The package's matrix of cosines; and lines that run are counted, since a loop over pairs runs thousands."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import require, same_array
from minigpt2.learn.counting import lines_run
from minigpt2.similarity import matrix

PAIRED = 60  # rows on each side, where the lines that run are counted


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(17)
    a, b = rng.standard_normal((3, 5)), 3.0 * rng.standard_normal((4, 5))
    a[2] *= 1e-3  # a short vector has a direction, too
    dots = a @ b.T
    na, nb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    same_array(
        matrix(a, b),
        exercise.cosines(a, b),
        "cosines(a, b)",
        [
            (dots, "these are dot products: the lengths are missing"),
            (dots / na[:, None], "only a's rows have length 1: divide by the lengths of b, too"),
            (dots / nb, "only b's rows have length 1: divide by the lengths of a, too"),
            (dots / (na[:, None] * nb) ** 2, "you divide by the squared lengths: the root is missing"),
            (
                dots / (np.linalg.norm(a) * np.linalg.norm(b)),
                "np.linalg.norm without axis is one number for the whole matrix: axis=1",
            ),
            (
                (a / np.linalg.norm(a, axis=0)) @ (b / np.linalg.norm(b, axis=0)).T,
                "the columns are normalised: axis=1 is along a row",
            ),
        ],
    )
    a[1] = 0.0
    same_array(
        matrix(a, b),
        exercise.cosines(a, b),
        "cosines with a zero row",
        [
            (lambda y: np.isnan(y).any(), "0/0 is NaN: divide a zero row by 1 instead of by 0"),
            (lambda y: np.isinf(y).any(), "a division by 0"),
        ],
    )
    x = rng.random((400, 7)).astype(np.float32)
    yours = exercise.cosines(x, x)
    most = float(yours.max())
    require(
        most <= 1.0, f"a cosine of {most:.9g}, above 1", "rounding: np.clip(…, -1, 1) keeps it in its range"
    )
    big = rng.standard_normal((PAIRED, 16))
    lines = lines_run(lambda: exercise.cosines(big, big), exercise.__file__)
    require(
        lines < PAIRED * PAIRED / 2,
        f"for {PAIRED} and {PAIRED} rows your function runs {lines:,} lines",
        f"is there a loop over all {PAIRED * PAIRED:,} pairs? unit rows first, then one product",
    )
