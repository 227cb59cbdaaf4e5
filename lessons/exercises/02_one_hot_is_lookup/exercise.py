"""One-hot rows, and the gradient of an embedding table.

A token id becomes a vector by looking up its row: y[n] = table[ids[n]]. The same as a matrix product:

    one_hot(ids, V)[n, v] = 1 if ids[n] == v, else 0          (N, V)
    y = one_hot(ids, V) @ table                               (N, V) @ (V, D) -> (N, D)

Nobody computes it like this (V is 50 257 for GPT-2), but it tells how the table learns. `dy` (N, D) is the
gradient of y: how fast the error grows with each of its numbers. Wanted is `dtable`, the same for the table;
for a product y = O @ table it is (lesson 10 derives it)

    dtable = Oᵀ @ dy                                          (V, N) @ (N, D) -> (V, D)

Write `one_hot`, and write `table_gradient` WITHOUT a one-hot matrix, in (V, D) memory. A token that stands
twice in the text has two rows of dy: what becomes of them? The package: `minigpt2/layers/embedding.py`.
"""

import numpy as np


def one_hot(ids: np.ndarray, V: int) -> np.ndarray:
    """(N,) -> (N, V) float64"""
    raise NotImplementedError("your turn")


def table_gradient(ids: np.ndarray, dy: np.ndarray, V: int) -> np.ndarray:
    """(N,), (N, D) -> dtable (V, D)"""
    raise NotImplementedError("your turn")
