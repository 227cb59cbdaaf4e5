"""The same training with whole batches."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array

LR = 0.1
ALIKE = "the parts count alike, but the last one is smaller: each counts by its rows"


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(42)
    D = 3
    sizes = [[4, 4, 2], [3, 5]]
    batches = [[(rng.standard_normal((n, D)), rng.standard_normal(n)) for n in parts] for parts in sizes]
    theta = rng.standard_normal(D)
    yours = exercise.train(theta, batches, LR)
    ZERO = "the second step is not what the second batch alone would make: the first still takes part in it"
    MEAN = "each step is nearly as many times too long as its batch has parts"
    same_array(
        run(theta, batches, lambda parts: [len(y) for _, y in parts]),
        yours,
        "theta after two batches of three and two parts",
        [
            (run(theta, batches, None, reset=False), f"{MEAN}; and {ZERO}"),
            (run(theta, batches, None), MEAN),
            (run(theta, batches, lambda parts: [len(y) for _, y in parts], reset=False), ZERO),
            (
                run(theta, batches, lambda parts: [1] * len(parts)),
                ALIKE,
            ),
            (run(theta, batches, lambda parts: [1] * len(parts), reset=False), f"{ALIKE}; and {ZERO}"),
            (
                run(theta, batches, lambda parts: [0] * (len(parts) - 1) + [1]),
                "only the last part of a batch is left: `total` takes all of them together",
            ),
            (each_part(theta, batches), "a step is made after every part: one step a batch"),
            (lambda y: np.allclose(y, theta), "nothing has moved"),
        ],
    )


def slope(theta, x, y):
    return x.T @ (x @ theta - y) / len(y)


def run(theta, batches, weights, reset=True):
    total = np.zeros_like(theta)
    for parts in batches:
        w = np.ones(len(parts)) if weights is None else np.array(weights(parts)) / sum(weights(parts))
        total = (0.0 if reset else 1.0) * total + sum(
            w_i * slope(theta, *part) for w_i, part in zip(w, parts, strict=True)
        )
        theta = theta - LR * total
    return theta


def each_part(theta, batches):
    for parts in batches:
        for part in parts:
            theta = theta - LR * slope(theta, *part)
    return theta
