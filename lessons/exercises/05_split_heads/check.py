"""A loop over heads and tokens."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    T, H, K = 3, 2, 4
    x = np.arange(T * H * K, dtype=np.float64).reshape(T, H * K)
    right = np.stack([x[:, h * K : (h + 1) * K] for h in range(H)])  # (H, T, K)
    same_array(
        right,
        exercise.split(x.copy(), H),
        "split(x, 2) of x = 0, 1, 2, …",
        [
            (
                x.reshape(H, T, K),
                "reshape(H, T, K) cuts the run of numbers without regard to rows: split the columns, "
                "then transpose",
            ),
            (
                x.reshape(T, K, H).transpose(2, 0, 1),
                "a head takes every H-th column here; it should take K columns side by side",
            ),
            (right.transpose(1, 0, 2), "the heads come first: (H, T, K), not (T, H, K)"),
            (x.reshape(T, H, K).transpose(1, 2, 0), "the last two axes stand the wrong way round: (H, T, K)"),
        ],
    )
    same_array(
        x,
        exercise.merge(right.copy()),
        "merge(split)",
        [
            (
                right.reshape(T, H * K),
                "reshape alone puts tokens of one head side by side: transpose first, so that T comes first",
            ),
            (
                right.transpose(1, 2, 0).reshape(T, H * K),
                "the columns of the heads are interleaved: each head's K columns stay together",
            ),
        ],
    )
    other = np.random.default_rng(1).standard_normal((5, 6))
    same_array(other, exercise.merge(exercise.split(other, 3)), "merge(split(x, 3))")
