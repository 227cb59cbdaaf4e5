"""Functions whose gradient is known."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import require, same_array


def check(exercise: ModuleType) -> None:
    x = np.random.default_rng(23).standard_normal((3, 4))
    h = 1e-5
    same_array(
        np.exp(x),
        exercise.numeric_gradient(lambda v: float(np.exp(v).sum()), x),
        "the gradient of Σ exp(x)",
        [
            (lambda y: np.allclose(y, (np.exp(x + h) - np.exp(x)) / h, rtol=1e-7), ONE_SIDED),
            (lambda y: np.allclose(y, (np.exp(x) - np.exp(x - h)) / h, rtol=1e-7), ONE_SIDED),
            (lambda y: np.allclose(y, 2 * np.exp(x), rtol=1e-3), "the two points lie 2h apart: divide by 2h"),
            (
                lambda y: np.allclose(y, np.exp(x).sum(), rtol=1e-3),
                "all entries are moved at once: one at a time",
            ),
            (lambda y: np.allclose(y, np.cumsum(np.exp(x)).reshape(x.shape), rtol=1e-3), RESTORE),
            (lambda y: np.abs(y - np.exp(x)).max() < 1.0, RESTORE),
        ],
        tolerance=1e-8,
    )
    mixed = np.random.default_rng(24).standard_normal((3, 3))
    point = np.array([1.0, -2.0, 0.5])
    same_array(
        mixed @ point + mixed.T @ point,
        exercise.numeric_gradient(lambda v: float(v @ mixed @ v), point.copy()),
        "the gradient of x · A · x",
        [(lambda y: True, RESTORE)],
        tolerance=1e-7,
    )
    whole = np.array([3, -1])
    yours = exercise.numeric_gradient(lambda v: float((v * v).sum()), whole)
    same_array(
        2.0 * whole,
        yours,
        "the gradient of Σ x² at whole numbers [3, -1]",
        [
            (np.zeros(2), "x + 1e-5 is rounded back to whole numbers: x.astype(np.float64)"),
            (
                lambda y: y.dtype.kind in "iu",
                "the gradient is an array of whole numbers: np.zeros(x.shape) is float64",
            ),
            (
                lambda y: np.abs(y).max() > 100,
                "x − 1e-5 is cut to the next whole number: x.astype(np.float64)",
            ),
        ],
        tolerance=1e-7,
    )
    single = np.array([0.5, -1.0], dtype=np.float32)
    same_array(
        2.0 * single,
        exercise.numeric_gradient(lambda v: float((v * v).sum()), single),
        "the gradient of Σ x² at float32 numbers",
        [(lambda y: True, "float32 has 7 digits, of which x ± 1e-5 leaves two: x.astype(np.float64)")],
    )
    same_array(
        np.array(2.0),
        exercise.numeric_gradient(lambda v: float(2.0 * v), np.array(1.0)),
        "the gradient of 2x at a single number",
        tolerance=1e-7,
    )
    same_array(
        np.array([12.25, 3.25]),
        exercise.numeric_gradient(lambda v: float((v * v * v).sum()), np.array([2.0, 1.0]), 0.5),
        "the central difference of Σ x³ at [2, 1] with h = 0.5",
        [(np.array([12.0, 3.0]), "h is handed in: use it, not 1e-5")],
        tolerance=1e-7,
    )
    require(
        exercise.numeric_gradient(lambda v: 0.0, np.zeros((0, 2))).shape == (0, 2),
        "an array without entries needs a gradient without entries",
    )


ONE_SIDED = "x is moved one way only, which is wrong by O(h): move it up AND down, and divide by 2h"
RESTORE = "an entry is not put back before the next is moved"
