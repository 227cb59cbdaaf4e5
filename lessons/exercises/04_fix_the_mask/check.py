"""A loop over sentences and queries, each with its own softmax over what it may see."""

from types import ModuleType

import numpy as np

from minigpt2.layers import softmax
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    scores = np.random.default_rng(7).standard_normal((3, 5, 5))
    lengths = np.array([5, 3, 1])
    same_array(
        weights_where(scores, lengths, lambda i, j, length: j <= i),
        exercise.masked_weights(scores, lengths),
        "masked_weights(scores, [5, 3, 1])",
        [
            (
                weights_where(scores, lengths, lambda i, j, length: j >= i and j < length),
                "tokens see the future: j ≥ i is kept instead of j ≤ i",
            ),
            (
                weights_where(scores, lengths, lambda i, j, length: j < i),
                "a token sees itself, too: j ≤ i, not j < i",
            ),
            (
                weights_where(scores, lengths, lambda i, j, length: True),
                "causality is lost: tokens see the future",
            ),
            (zeros(scores, lengths, np.tri(5, dtype=bool)), ZEROS),
            (
                zeros(scores, lengths, np.tri(5, dtype=bool).T),
                f"{ZEROS}; and tokens see the future: j ≥ i is kept",
            ),
            (
                after(scores, lengths),
                "the mask comes after softmax: hidden tokens have taken their share, the rows sum to "
                "less than 1",
            ),
            (
                lambda yours: np.isnan(yours).any(),
                "a row in which all is hidden gives −inf − (−inf): give padded queries a finite row",
            ),
            (lambda yours: yours[1, 3:].sum() > 0, "padded queries have weights: their rows must be 0"),
            (
                lambda yours: yours[0, 0, 1:].sum() > 0,
                "token 0 still sees the future a little: a finite score always leaves some weight, only "
                "-inf leaves none",
            ),
        ],
    )


ZEROS = "a hidden score of 0 still gets exp(0) = 1 as its weight: hide with -inf"


def weights_where(scores, lengths, may_see):
    weights = np.zeros_like(scores)
    for b, length in enumerate(lengths):
        for i in range(length):
            seen = [j for j in range(length) if may_see(i, j, length)]
            if seen:
                weights[b, i, seen] = softmax(scores[b, i, seen])[0]
    return weights


def zeros(scores, lengths, causal):
    """What hiding with 0 instead of -inf gives."""
    real = np.arange(scores.shape[1]) < lengths[:, None]
    hidden = np.where(causal & real[:, None, :], scores, 0.0)
    return softmax(hidden)[0] * real[:, :, None]


def after(scores, lengths):
    """What multiplying the weights with the mask gives."""
    real = np.arange(scores.shape[1]) < lengths[:, None]
    return softmax(scores)[0] * (np.tri(scores.shape[1]) * real[:, None, :] * real[:, :, None])
