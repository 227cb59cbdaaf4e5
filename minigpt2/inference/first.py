"""The first block's queries, keys and values: tokens and positions apart.

What enters the first block is a sum, x = wte[id] + wpe[position], and a product of a sum is the sum of the
products:

    x · rstd · W + bias  =  rstd · (wte[id] · W + wpe[position] · W) + bias

So each different token of a chunk is multiplied once, and each position once: in a chunk of short sentences
most tokens come again. The sums are added up where attention gathers its rows anyway. From the second block
on a token's numbers depend on the tokens before it. Graef 2024, arXiv:2402.13388, stores such products of the
whole vocabulary, for models whose positions enter later.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..float16 import float32_of
from .chunks import Chunk
from .folding import FoldedWeights
from .stream import centre, normalise
from .workspace import Workspace, even_panels

# Adding up is worth while if there are at most so many products for each row.
WORTHWHILE = 0.75

# Where a token's row and a position's nearly cancel, what rounding has done to them remains. So the two may
# together be at most so many times as long as the row that is their sum.
LONGEST_SUMMANDS = 4.0


class TokenSums(NamedTuple):
    """Row i of qkv is rstd[i] · (tokens[token[i]] + positions[position of i]) + bias."""

    token: np.ndarray  # (N,) which of the different tokens a row is
    tokens: np.ndarray  # (U, 3·D)
    positions: np.ndarray  # (T, 3·D)
    rstd: np.ndarray  # (N,)
    bias: np.ndarray  # (D,) of the queries: keys and values have none


def different_tokens(chunk: Chunk) -> tuple[np.ndarray, np.ndarray] | None:
    """ids (U,) in ascending order and which of them each row has (N,); None if it is not worth while"""
    if chunk.rows is None:  # nothing is gathered
        return None
    ids, token = np.unique(chunk.ids, return_inverse=True)  # (U,), (N,)
    return (ids, token) if len(ids) + chunk.longest <= WORTHWHILE * len(token) else None


def first_rows(chunk: Chunk) -> int:
    """Rows of the first block's product."""
    different = different_tokens(chunk)
    return len(chunk.ids) if different is None else len(different[0]) + chunk.longest


def token_sums(
    chunk: Chunk, weights: FoldedWeights, space: Workspace, lap: Callable[[str], None]
) -> TokenSums | None:
    """The first block's products, in `space.qkv`; x (N, D) and rstd (N,) are left in `space` too.

    None where few tokens come again, and where summands cancel.
    """
    different = different_tokens(chunk)
    if different is None:
        return None
    ids, token = different  # (U,), (N,)
    U, N, block = len(ids), len(chunk.ids), weights.blocks[0]
    x, rstd = space.x[:N], space.rstd[:N]  # (N, D), (N,)
    table = space.heads[: U + chunk.longest]  # (U + T, D) free until attention; U + T < N
    table[:U] = float32_of(weights.wte[ids])
    table[U:] = weights.wpe[: chunk.longest]
    common = table[:U].mean(axis=0)  # (D,) counted with the positions, where it may cancel
    table[:U] -= common
    table[U:] += common
    centre(table)
    for rows in even_panels(N, space.panel):
        more = space.normalised[: rows.stop - rows.start]  # (r, D)
        table.take(token[rows], axis=0, out=x[rows], mode="clip")
        table[U:].take(chunk.positions[rows], axis=0, out=more, mode="clip")
        np.add(x[rows], more, out=x[rows])
        lap("embedding")
        normalise(x[rows], None, 0, rstd[rows], space, weights.config)
        lap("layernorm")
    lengths = np.sqrt(np.vecdot(table, table))  # (U + T,)
    summands = lengths[token] + lengths[U:][chunk.positions]  # (N,)
    if (summands * rstd).max() > LONGEST_SUMMANDS * math.sqrt(weights.config.D):
        return None
    products = space.qkv[: len(table)]  # (U + T, 3·D)
    table[:, block.qkv_carrier] = 0.0  # whose row is the bias, which is added when the sums are scaled
    np.matmul(table, block.qkv, out=products)
    lap("qkv")
    bias = block.qkv[block.qkv_carrier, : weights.config.D]
    return TokenSums(token, products[:U], products[U:], rstd, bias)
