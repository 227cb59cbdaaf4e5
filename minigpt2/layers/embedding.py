"""Token and position embedding: look up a row for what the token is, and add a row for where it stands.

    y[n] = wte[ids[n]] + wpe[positions[n]]

Radford et al. 2019: GPT-2 learns both tables. Looking up a row is multiplying a one-hot row with the table;
so backward adds each row of the gradient to the row that was looked up, as often as it was.
"""

from typing import NamedTuple

from ..backend import Array, array_module
from ..kernels import replaceable


class EmbeddingContext(NamedTuple):
    """What backward needs: which rows were read, and how large the tables are."""

    ids: Array  # (N,)
    positions: Array  # (N,)
    wte_shape: tuple[int, int]  # (V, D)
    wpe_shape: tuple[int, int]  # (P, D) P: positions of the model's window


@replaceable
def embedding(ids: Array, positions: Array, wte: Array, wpe: Array) -> tuple[Array, EmbeddingContext]:
    """(N,), (N,), (V, D), (P, D) -> (N, D). Ids and positions must be in range: see TokenBatch.check_fits."""
    y = wte[ids] + wpe[positions]  # (N, D)
    return y, EmbeddingContext(ids, positions, wte.shape, wpe.shape)


@replaceable
def embedding_backward(dy: Array, ctx: EmbeddingContext) -> tuple[Array, Array]:
    """(N, D) -> dwte (V, D), dwpe (P, D)"""
    xp = array_module(dy)
    dwte = xp.zeros(ctx.wte_shape, dtype=dy.dtype)  # (V, D)
    dwpe = xp.zeros(ctx.wpe_shape, dtype=dy.dtype)  # (P, D)
    xp.add.at(dwte, ctx.ids, dy)  # y = wte[ids] + …; `dwte[ids] += dy` would count a repeated id once
    xp.add.at(dwpe, ctx.positions, dy)  # y = … + wpe[positions]
    return dwte, dwpe
