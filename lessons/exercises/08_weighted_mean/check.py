"""The package's pooling, forward and backward."""

from types import ModuleType

import numpy as np

from minigpt2.layers import pooling, pooling_backward
from minigpt2.layers.pooling import token_weights
from minigpt2.learn.checking import same_array
from minigpt2.ragged import TokenBatch


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(14)
    batch = TokenBatch([[0] * T for T in (3, 1, 4)])
    lengths = batch.lengths
    right = token_weights(batch, "weighted_mean")
    T = np.repeat(lengths, lengths)
    t = right * (T * (T + 1) / 2)
    same_array(
        right,
        exercise.weights(lengths),
        "weights([3, 1, 4])",
        [
            (t, "the weights of a sentence must sum to 1: divide by 1 + 2 + … + T"),
            (t / T, "divide by 1 + 2 + … + T, not by T: the weights of a sentence sum to 1"),
            (
                (t - 1) / np.maximum(T * (T - 1) / 2, 1),
                "t counts from 1: from 0 the first token would not count at all",
            ),
            ((T + 1 - t) / (T * (T + 1) / 2), "the weights fall: later tokens should count for more"),
            (1.0 / T, "this is the plain mean"),
            (np.arange(1, 9) / 36, "the count goes on over the end of a sentence"),
        ],
    )
    x, dy = rng.standard_normal((8, 5)), rng.standard_normal((3, 5))
    y, ctx = pooling(x, batch, "weighted_mean")
    same_array(
        y,
        exercise.pool(x, lengths),
        "pool(x, [3, 1, 4])",
        [
            (y / lengths[:, None], "the weights sum to 1 already: do not divide by the length as well"),
            (pooling(x, batch, "mean")[0], "this is the plain mean: later tokens should count for more"),
        ],
    )
    same_array(
        pooling_backward(dy, ctx),
        exercise.pool_backward(dy, lengths),
        "pool_backward(dy, [3, 1, 4])",
        [
            (np.repeat(dy, lengths, axis=0), "every row hears of dy as loudly as it spoke: times its weight"),
            (np.repeat(dy, lengths, axis=0) / T[:, None], "this is the backward of the plain mean"),
            (
                np.tile(dy, (3, 1))[:8] * right[:, None],
                "np.tile repeats the whole; np.repeat gives each sentence's row to its own tokens",
            ),
        ],
    )
