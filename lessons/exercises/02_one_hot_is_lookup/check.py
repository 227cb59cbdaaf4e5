"""A double loop, and the product with the transposed one-hot matrix."""

import tracemalloc
from types import ModuleType

import numpy as np

from minigpt2.learn.checking import require, same_array


def check(exercise: ModuleType) -> None:
    ids, V = np.array([3, 1, 3, 0, 5, 3]), 7
    right = np.array([[float(id == v) for v in range(V)] for id in ids])  # (N, V)
    column = np.zeros((len(ids), V))
    column[:, ids] = 1.0
    same_array(
        right,
        exercise.one_hot(ids, V),
        "one_hot([3, 1, 3, 0, 5, 3], 7)",
        [
            (
                column,
                "rows[:, ids] sets these columns in EVERY row: give each row its own, rows[np.arange(N), "
                "ids]",
            ),
            (
                lambda yours: yours.shape[0] == V,
                "a row for each token and a column for each id, not the other way",
            ),
            (
                lambda yours: yours.shape[1] == ids.max() + 1,
                "the width is V, also if the largest id is not in the text",
            ),
        ],
    )
    dy = np.random.default_rng(1).standard_normal((len(ids), 4))
    once = np.zeros((V, 4))
    once[ids] = dy
    counts = np.bincount(ids, minlength=V)[:, None]
    summed = right.T @ dy
    same_array(
        summed,
        exercise.table_gradient(ids, dy, V),
        "table_gradient(ids, dy, 7)",
        [
            (
                once,
                "token 3 stands three times, but only its last row arrived: `dtable[ids] += dy` counts a "
                "repeated id once",
            ),
            (summed / np.maximum(counts, 1), "the rows of a repeated token add up; this is their mean"),
        ],
    )
    many = np.arange(3000) % 11
    tracemalloc.start()
    exercise.table_gradient(many, np.ones((3000, 2)), 4000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    require(
        peak < 8e6,
        f"table_gradient took {peak / 1e6:.0f} MB for a table of 0.06 MB",
        "is there a one-hot matrix in it?",
    )
