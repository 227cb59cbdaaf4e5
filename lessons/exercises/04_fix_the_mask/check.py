"""A loop over sentences and queries, each with its own softmax over what it may see."""

from types import ModuleType

import numpy as np

from minigpt2.layers import softmax
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(7)
    for lengths in ([5, 3, 1], [2, 4, 0]):
        T = max(lengths)
        compare(exercise, rng.standard_normal((3, T, T)), np.array(lengths))


def compare(exercise: ModuleType, scores: np.ndarray, lengths: np.ndarray) -> None:
    causal = np.tri(scores.shape[1], dtype=bool)
    same_array(
        weights_where(scores, lengths, lambda i, j, length: j <= i),
        exercise.masked_weights(scores, lengths),
        f"masked_weights(scores, {lengths.tolist()})",
        [
            (
                weights_where(scores, lengths, lambda i, j, length: j >= i and j < length),
                FUTURE,
            ),
            (
                weights_where(scores, lengths, lambda i, j, length: j < i),
                "a token sees itself, too: j ≤ i, not j < i",
            ),
            (
                weights_where(scores, lengths, lambda i, j, length: True),
                FUTURE,
            ),
            (zeros(scores, lengths, causal), HIDDEN),
            (zeros(scores, lengths, causal.T), f"{FUTURE}; and {HIDDEN}"),
            (
                after(scores, lengths),
                "the mask comes after softmax: hidden tokens have taken their share, the rows sum to "
                "less than 1",
            ),
            (
                lambda yours: np.isnan(yours).any(),
                "a row in which all is hidden gives −inf − (−inf): give padded queries a finite row",
            ),
            (
                lambda yours: yours[np.arange(len(causal)) >= lengths[:, None]].any(),
                "padded queries have weights: their rows must be 0",
            ),
            (
                lambda yours: yours[0, 0, 1:].sum() > 0,
                "token 0 still sees the future a little: a finite score always leaves some weight, only "
                "-inf leaves none",
            ),
        ],
    )


FUTURE = "tokens see the future: token 0 may see itself alone, and gives weight to tokens after it"
HIDDEN = "keys that are hidden have weights above 0, not exactly 0"


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
