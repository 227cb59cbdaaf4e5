"""The package's attention with one head, and what typical mistakes would give."""

import math
from types import ModuleType

import numpy as np

from minigpt2.layers import attend, softmax
from minigpt2.learn.checking import same_array, same_value
from minigpt2.ragged import TokenBatch


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(8)
    for lengths in ([4, 2, 3], [3, 0, 1]):
        N = sum(lengths)
        q, k, v = rng.standard_normal((3, N, 4))
        batch = TokenBatch([[0] * T for T in lengths])
        right, _ = attend(np.concatenate([q, k, v], axis=1), batch, heads=1)
        sentence = np.repeat(np.arange(len(lengths)), lengths)
        same, before = sentence[:, None] == sentence, np.tri(N, dtype=bool)
        same_array(
            right,
            exercise.packed_attention(q, k, v, batch.offsets),
            f"packed_attention of sentences of {lengths} tokens",
            [
                (
                    everywhere(q, k, v, before),
                    "sentences see each other: a token of one attends to those of the ones before",
                ),
                (everywhere(q, k, v, same), "tokens see the ones that come after them: j ≤ i is missing"),
                (everywhere(q, k, v, same & before, 1.0), "the division by sqrt(K) is missing"),
                (
                    lambda yours: yours.any() and not yours[batch.offsets[:-1][batch.lengths > 0]].any(),
                    "a token sees itself, too: j ≤ i, not j < i",
                ),
                (
                    everywhere(q, k, v, same & before, np.sqrt(np.array(lengths)[sentence])[:, None]),
                    "the root is of K, the width of a key, not of the sentence's length",
                ),
                (
                    columns(q, k, v, same & before),
                    "the columns of the weights sum to 1, not the rows: a query's weights are a row",
                ),
                (
                    everywhere(q, k, v, same & before.T),
                    "the triangle is the wrong way round: j ≤ i, not j ≥ i",
                ),
            ],
        )
    same_value(
        12,
        exercise.padded_rows(np.array([0, 4, 6, 9])),
        "padded_rows([0, 4, 6, 9])",
        [
            (9, "9 is the number of tokens: every sentence is filled up to the longest"),
            (16, "there are B sentences, but B + 1 offsets"),
            (
                27,
                "the last offset is the number of tokens, not the longest sentence: np.diff gives the "
                "lengths",
            ),
        ],
    )


def everywhere(q, k, v, sees, root=None):
    scores = q @ k.T / (math.sqrt(q.shape[1]) if root is None else root)
    return softmax(np.where(sees, scores, -np.inf))[0] @ v


def columns(q, k, v, sees):
    """With each row's maximum taken away before exp, as it should be, and the sum over the wrong axis."""
    scores = np.where(sees, q @ k.T / math.sqrt(q.shape[1]), -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=0, keepdims=True) @ v
