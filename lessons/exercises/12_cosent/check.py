"""A double loop with exact arithmetic in logarithms, and the package's loss."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    cosines = np.array([0.1, 0.2, 0.5, 0.9, -0.1])
    labels = np.array([4.0, 1.0, 4.0, 2.5, 2.5])
    for tau in (0.5, 0.05, 0.001):
        c = cosines / tau

        def loss(keep, sign=1.0, one=True, c=c):
            terms = [sign * (c[j] - c[i]) for i in range(5) for j in range(5) if keep(labels[i], labels[j])]
            return np.array(np.logaddexp.reduce(np.array(terms + [0.0] * one)))

        same_array(
            loss(lambda x, y: x > y),
            exercise.cosent(cosines, labels, tau),
            f"cosent(cosines, labels, {tau})",
            [
                (
                    lambda y: not np.isfinite(y),
                    "exp overflows: take the largest exponent out of the sum first, top + log Σ exp(term "
                    "− top)",
                ),
                (
                    loss(lambda x, y: x > y, sign=-1.0),
                    "the sign: a term is large where the LOWER label has the higher cosine, c_j − c_i",
                ),
                (
                    loss(lambda x, y: x >= y),
                    "pairs of equal label are compared, even each with itself: label_i > label_j",
                ),
                (loss(lambda x, y: x > y, one=False), "the 1 is missing: log(1 + Σ …)"),
                (loss(lambda x, y: x != y), "both orders are counted: only label_i > label_j"),
                (loss(lambda x, y: x > y, c=cosines), "the temperature is missing"),
                (
                    np.array(
                        np.logaddexp.reduce(
                            np.array(
                                [c[j] - c[i] for i in range(5) for j in range(5) if labels[i] > labels[j]]
                                + [1.0]
                            )
                        )
                    ),
                    "the 1 stands beside the exp, not inside: it is exp(0)",
                ),
            ],
        )
    same_array(
        np.array(0.0),
        exercise.cosent(cosines, np.full(5, 3.0), 0.05),
        "cosent where all labels are equal",
        [(lambda y: not np.isfinite(y), "there is nothing to compare: the sum is empty, and log(1 + 0) = 0")],
    )
