"""The same outputs with and without folding."""

import math
from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array, several


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(54)
    D, K = 6, 3
    gain, bias = 1.0 + rng.random(D), rng.standard_normal(D)
    weight, b = rng.standard_normal((D, 3 * D)), rng.standard_normal(3 * D)
    W, shift = several(exercise.fold(gain, bias, weight, b, K), "W', b'", "fold")
    root = np.ones(3 * D)
    root[:D] = 1.0 / math.sqrt(K)
    right, moved = gain[:, None] * weight * root, (bias @ weight + b) * root
    ALL = "all columns are divided by sqrt(K): only the queries, the first D, are"
    same_array(
        right,
        W,
        "W'",
        [
            (gain[:, None] * weight, "the division by sqrt(K) is missing in the columns of the queries"),
            (
                np.tile(gain, 3) * weight * root,
                "gain belongs to the INPUT of the linear layer: it scales W's rows, gain[:, None]",
            ),
            (gain[:, None] * weight / math.sqrt(K), ALL),
            (weight * root, "the gain is missing"),
            (gain[:, None] * weight * np.where(root < 1, 1 / K, 1), "sqrt(K), not K"),
            (
                gain[:, None] * weight * root[::-1],
                "the first D columns are the queries, then come keys and values",
            ),
            (gain[:, None] * weight * np.where(root < 1, math.sqrt(K), 1), "divided, not multiplied"),
        ],
    )
    same_array(
        moved,
        shift,
        "b'",
        [
            (bias @ weight + b, "the query's bias is divided by sqrt(K), too: all of the query is"),
            (bias @ right + b, "bias goes through the W from BEFORE folding, which has no gain in it"),
            (b * root, "layernorm's bias goes through W, too: bias @ W + b"),
            (b, "layernorm's bias goes through W, and the query's part is divided by sqrt(K)"),
            (
                (gain * bias @ weight + b) * root,
                "gain scales x̂, not bias: bias @ W, with the W from before folding",
            ),
            ((bias @ weight) * root, "the linear layer's own bias b is missing"),
            (bias @ weight * root + b, "b is part of the query, too: divide the sum"),
            ((bias @ weight + b) / math.sqrt(K), ALL),
        ],
    )
