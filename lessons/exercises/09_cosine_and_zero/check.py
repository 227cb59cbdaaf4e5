"""The package's matrix of cosines."""

import contextlib
import sys
from types import ModuleType

import numpy as np

from minigpt2.learn.checking import require, same_array
from minigpt2.similarity import matrix


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
    big = rng.standard_normal((400, 3))
    with few_lines(exercise.__file__, 16_000):
        exercise.cosines(big, big)


@contextlib.contextmanager
def few_lines(file: str, most: int):
    """Raise WrongAnswer as soon as more lines of this file have run, those of a loop as often as they do."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename != file:
            return None
        count += 1
        require(
            count <= most,
            f"more than {most:,} lines of your file run for 160,000 cosines",
            "is there a loop over pairs? unit rows first, then one product",
        )
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
