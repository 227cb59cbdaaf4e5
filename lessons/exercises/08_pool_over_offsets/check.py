"""The package's pooling, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import pooling
from minigpt2.learn.checking import same_array
from minigpt2.ragged import TokenBatch


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(13)
    for lengths in ([3, 1, 4], [2, 0, 3], [0, 2, 2], [2, 3, 0]):
        batch = TokenBatch([[0] * T for T in lengths])
        x = rng.standard_normal((batch.N, 5))
        sums = (
            np.add.reduceat(np.vstack([x, np.zeros((1, 5))]), batch.offsets[:-1])
            * (batch.lengths > 0)[:, None]
        )
        first = x[np.minimum(batch.offsets[:-1], batch.N - 1)]
        next_first = np.vstack([x, x[:1]])[batch.offsets[1:]]
        name = f"sentences of {lengths} tokens"
        same_array(
            pooling(x, batch, "mean")[0],
            exercise.mean_pool(x, batch.offsets),
            f"mean_pool of {name}",
            [
                (sums, "these are the sums: divide each by the length of its sentence"),
                (
                    sums / max(lengths),
                    "every sentence is divided by the longest one's length, as if it were padded",
                ),
                (sums / batch.N, "every sentence is divided by all N tokens: divide by its own length"),
                (
                    np.add.reduceat(x, np.minimum(batch.offsets[:-1], batch.N - 1))
                    / np.maximum(batch.lengths, 1)[:, None],
                    "np.add.reduceat gives a sentence without tokens the row after it: it gives zeros",
                ),
                (
                    lambda yours: np.isnan(yours).any(),
                    "the mean of no rows is NaN: a sentence without tokens gives zeros",
                ),
            ],
        )
        same_array(
            pooling(x, batch, "last")[0],
            exercise.last_pool(x, batch.offsets),
            f"last_pool of {name}",
            [
                (first, "these are the first rows of the sentences"),
                (next_first, "offsets[b + 1] is where the NEXT sentence begins: one less is the last row"),
                (
                    x[batch.offsets[1:] - 1],
                    "a sentence without tokens takes the last row of the one before it: it gives zeros",
                ),
            ],
        )
