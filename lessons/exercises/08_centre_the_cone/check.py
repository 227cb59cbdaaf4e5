"""The package's collapse gauge, and the formula."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.collapse import collapse_of
from minigpt2.layers import normalize
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(15)
    corpus = np.array([4.0, 0.0, 0.0, 1.0]) + rng.standard_normal((9, 4))
    unit = normalize(corpus)[0]
    right = np.array(collapse_of(corpus).mean_cosine)
    same_array(
        right,
        exercise.mean_cosine(corpus),
        "mean_cosine(corpus)",
        [
            ((unit @ unit.T).mean(), "each row's cosine with itself, 1, is counted: leave out the diagonal"),
            (
                (corpus @ corpus.T)[~np.eye(9, dtype=bool)].mean(),
                "these are dot products: divide by the lengths",
            ),
            ((corpus @ corpus.T).mean(), "these are dot products: divide by the lengths"),
            (
                lambda yours: np.isclose(yours, right / 2),
                "there are M·(M − 1) ordered pairs: each stands twice in the matrix",
            ),
        ],
    )
    x = corpus[:3] + 0.5
    same_array(
        normalize(x - corpus.mean(axis=0))[0],
        exercise.centre(x, corpus),
        "centre(x, corpus)",
        [
            (
                normalize(x - x.mean(axis=0))[0],
                "the mean of the batch is taken away: then a text's vector depends on its neighbours; "
                "use the corpus",
            ),
            (
                normalize(x - x.mean(axis=1, keepdims=True))[0],
                "each row's own mean is taken away (axis=1); the cone is a vector that all share: axis=0",
            ),
            (x - corpus.mean(axis=0), "centring changes the lengths: normalise afterwards"),
            (
                normalize(x)[0] - normalize(corpus)[0].mean(axis=0),
                "centring changes the lengths: normalise afterwards",
            ),
            (
                normalize(normalize(x)[0] - unit.mean(axis=0))[0],
                "the rows are normalised before centring as well: take the mean away from x as it is",
            ),
            (
                normalize(x - corpus.mean())[0],
                "corpus.mean() is one number for all columns: axis=0 gives the mean vector",
            ),
        ],
    )
    same_array(
        np.zeros((1, 4)),
        exercise.centre(
            np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[0.0, 4.0, 3.0, 8.0], [2.0, 0.0, 3.0, 0.0]])
        ),
        "centre of the mean itself",
        [(lambda y: np.isnan(y).any(), "0/0: a row that is zero after centring stays zero")],
    )
