"""A full sort; NumPy's sorting functions are watched meanwhile."""

from types import ModuleType
from unittest.mock import patch

import numpy as np

from minigpt2.learn.checking import WrongAnswer, same_array, several

ARGSORT, SORT = np.argsort, np.sort


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(60)
    for N, k in ((9, 3), (4, 4), (3, 5), (6, 1), (3000, 1000)):
        scores = rng.permuted(np.tile(np.linspace(-1.0, 1.0, N), (4, 1)), axis=1)
        places, best = several(exercise.top_k(scores.copy(), k), "places, scores", "top_k")
        order = ARGSORT(-scores, axis=1)[:, :k]
        right = np.take_along_axis(scores, order, axis=1)
        worst = SORT(scores, axis=1)[:, :k]
        taken = ARGSORT(ARGSORT(-right, axis=1))
        name = f"the {k} best of {N}"
        same_array(
            right,
            best,
            name,
            [
                (worst, "these are the lowest: partition and sort -scores"),
                (right[:, ::-1], "the best come last: sort downwards"),
                (
                    lambda y: np.array_equal(SORT(y, axis=1), SORT(right, axis=1)),
                    "the right scores, but in no order: argpartition does not sort; sort the k that it found",
                ),
                (
                    lambda y: y.shape != right.shape,
                    "argpartition's second argument is a place: k − 1, and at most N texts",
                ),
            ],
        )
        same_array(
            order,
            places,
            f"the places of {name}",
            [
                (
                    taken,
                    "these are places among the k found: read the texts' numbers with "
                    "np.take_along_axis(places, order)",
                ),
                (
                    lambda y: y.max(initial=0) < min(k, N) < N,
                    "these are places among the k found: read the texts' numbers with "
                    "np.take_along_axis(places, order)",
                ),
                (
                    lambda y: np.array_equal(SORT(y, axis=1), SORT(order, axis=1)),
                    "the right texts, in another order than their scores",
                ),
            ],
        )

    scores = rng.standard_normal((2, 500))
    with (
        patch.object(np, "argsort", watched(ARGSORT)),
        patch.object(np, "sort", watched(SORT)),
        patch.dict(vars(exercise.module), {"sorted": watched(sorted)}),
    ):
        exercise.top_k(scores.view(NoWholeSort), 5)


class NoWholeSort(np.ndarray):
    """An array whose own methods do not sort long rows."""

    def argsort(self, *args, **options):
        return watched(np.ndarray.argsort)(self, *args, **options)

    def sort(self, *args, **options):
        return watched(np.ndarray.sort)(self, *args, **options)


def watched(function):
    """A function that sorts, but not rows that are long."""

    def sort(x, *args, **options):
        values = list(x) if function is sorted else x
        length = np.shape(x)[-1] if isinstance(x, np.ndarray) else len(values)
        if length > 50:
            raise WrongAnswer(
                f"{function.__name__} sorts rows of {length} scores",
                reason="only the k best are wanted: argpartition first, then sort these k",
            )
        return function(values, *args, **options)

    return sort
