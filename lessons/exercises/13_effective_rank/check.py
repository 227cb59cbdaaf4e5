"""The package's gauge, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.collapse import collapse_of
from minigpt2.layers import normalize
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(33)
    x = rng.standard_normal((8, 5)) * np.array([[5.0], *[[0.3]] * 7]) + np.array([1.0, 0, 0, 0, 0])

    def entropy(p):
        p = p[p > 0] / p.sum()
        return -(p * np.log(p)).sum()

    sigma = np.linalg.svd(normalize(x)[0], compute_uv=False)
    raw = np.linalg.svd(x, compute_uv=False)
    same_array(
        np.array(collapse_of(x).effective_rank),
        exercise.effective_rank(x),
        "effective_rank(x)",
        [
            (np.exp(entropy(raw)), "the rows are not of length 1: one long vector speaks for all"),
            (np.array(entropy(sigma)), "this is the entropy: exp of it is the number of directions"),
            (np.array(np.exp(entropy(sigma**2))), "these are shares of σ²; asked are shares of σ"),
            (np.array(np.exp(-entropy(sigma))), "the sign: entropy is − Σ p log p"),
            (np.array(2.0 ** entropy(sigma)), "natural logarithm and exp belong together"),
            (np.exp(entropy(sigma) / np.log(2.0)), "natural logarithm and exp belong together"),
            (np.array(5.0), "this counts the singular values that are not 0: a little noise, and it is D"),
            (
                np.array(
                    np.exp(
                        entropy(
                            np.linalg.svd(normalize(x)[0] - normalize(x)[0].mean(axis=0), compute_uv=False)
                        )
                    )
                ),
                "nothing is centred here: a direction that all share is a direction",
            ),
        ],
    )
    line = np.outer([1.0, 2.0, -3.0], [0.6, 0.8])
    same_array(
        np.array(1.0),
        exercise.effective_rank(line),
        "effective_rank of vectors on one line",
        [(lambda y: np.isnan(y), "0 · log 0 is NaN in NumPy: leave out shares of 0")],
    )
    same_array(np.array(3.0), exercise.effective_rank(np.eye(3)), "effective_rank of three axes")
    exact = np.zeros((2, 3))
    exact[:, 0] = 1.0
    same_array(
        np.array(1.0),
        exercise.effective_rank(exact),
        "effective_rank of twice the same axis",
        [(lambda y: np.isnan(y), "0 · log 0 is NaN in NumPy: leave out shares of 0")],
    )
    same_array(
        np.array(0.0),
        exercise.effective_rank(np.zeros((3, 2))),
        "effective_rank of zeros",
        [(lambda y: np.isnan(y), "zeros have no shares: 0")],
    )
