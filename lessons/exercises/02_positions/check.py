"""The package's TokenBatch and embedding."""

from types import ModuleType

import numpy as np

from minigpt2.layers import embedding
from minigpt2.learn.checking import same_array
from minigpt2.ragged import TokenBatch


def check(exercise: ModuleType) -> None:
    for lengths in ([3, 1, 2], [1, 4, 4], [2, 0, 3], [0, 2, 0], [5]):
        lengths = np.array(lengths)
        batch = TokenBatch([[0] * T for T in lengths])
        N = int(lengths.sum())
        starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        same_array(
            batch.positions,
            exercise.positions(lengths),
            f"positions({lengths.tolist()})",
            [
                (np.arange(N), "the count goes on over the end of a sentence: each begins at 0"),
                (batch.positions + 1, "positions begin at 0, not at 1"),
                (
                    np.repeat(np.arange(len(lengths)), lengths),
                    "this is the number of the sentence, not the place in it",
                ),
                (
                    np.repeat(lengths, lengths) - 1 - batch.positions,
                    "they count down: the first token has position 0",
                ),
                (starts, "this is where each token's sentence begins: take it away from 0 … N−1"),
            ],
        )
    rng = np.random.default_rng(4)
    wte, wpe = rng.standard_normal((9, 3)), rng.standard_normal((6, 3))
    batch = TokenBatch([[5, 1, 2], [4], [4, 4]])
    same_array(
        embedding(batch.ids, batch.positions, wte, wpe)[0],
        exercise.embed(batch.ids, batch.lengths, wte, wpe),
        "embed(ids, lengths, wte, wpe)",
        [
            (wte[batch.ids], "where a token stands is missing: add the rows of wpe"),
            (wte[batch.ids] + wpe[batch.ids], "wpe is read at the ids; read it at the positions"),
            (wte[batch.ids] + wpe[np.arange(6)], "positions go on over the end of a sentence here"),
            (wte[batch.ids] * wpe[batch.positions], "the two rows are added, not multiplied"),
            (
                np.concatenate([wte[batch.ids], wpe[batch.positions]], axis=1),
                "the two rows are added, not put side by side: the width stays D",
            ),
        ],
    )
