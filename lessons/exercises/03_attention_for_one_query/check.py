"""A plain loop over the tokens."""

import math
from types import ModuleType

import numpy as np

from minigpt2.layers import softmax
from minigpt2.learn.checking import same_array, several


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(6)
    q, keys, values = rng.standard_normal(6), rng.standard_normal((5, 6)), rng.standard_normal((5, 6))
    T, K = keys.shape
    products = np.array([sum(q[i] * keys[t, i] for i in range(K)) for t in range(T)])  # (T,)

    def weights_of(scores):
        return softmax(scores)[0]

    right = weights_of(products / math.sqrt(K))
    weights, z = several(exercise.attend(q, keys, values), "weights, z", "attend")
    same_array(
        right,
        weights,
        "weights",
        [
            (weights_of(products), "you forgot to divide the scores by sqrt(K)"),
            (weights_of(products / K), "you divide by K; its root, sqrt(K), keeps the scores near 1"),
            (
                weights_of(products / math.sqrt(T)),
                "you divide by sqrt(T); K is the width of a key, T how many there are",
            ),
            (products / math.sqrt(K), "these are the scores: softmax is missing"),
            (weights_of(-products / math.sqrt(K)), "the sign of the scores is turned round"),
            (
                weights_of(values @ q / math.sqrt(K)),
                "the query meets the keys; these are its products with the values",
            ),
        ],
    )
    mixed = np.array([sum(right[t] * values[t, i] for t in range(T)) for i in range(K)])
    same_array(
        mixed,
        z,
        "z",
        [
            (right @ keys, "the weights mix the values; you mixed the keys"),
            (mixed / T, "a weighted mean with weights that sum to 1 is a sum: do not divide by T as well"),
            (values[right.argmax()], "this is the value with the largest weight alone: all of them count"),
            (values.sum(axis=0), "this is the plain sum of the values: each counts by its weight"),
        ],
    )
    large = exercise.attend(100 * q, 100 * keys, values)[0]
    same_array(weights_of(1e4 * products / math.sqrt(K)), large, "weights of scores in the thousands")
