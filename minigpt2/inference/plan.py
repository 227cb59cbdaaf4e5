"""The same vectors as the explicit layers give, computed with everything that may be prepared prepared.

    x = wte[ids] + wpe[positions]                        centred: see folding.py
    for each block:
        a = x · rstd(x), with a 1;  q, k, v = split(a · W_qkv)
        x += merge(softmax(q · kᵀ) · v) · W_out + b_out
        a = x · rstd(x), with a 1
        x += gelu(a · W_fc) · W_proj + b_proj            gelu without its factors
    y = pool(x · rstd(x)) · gain + bias

What makes it fast is little other mathematics, and where the numbers are: rows that sentences share are
computed once (chunks.py), and the first products of tokens that come again (first.py); attention takes
sentences of about equal length together; between two attentions of a small model about a thousand rows at a
time pass through everything; no large array is made in a block, and those that are there begin at a cache
line; two Python threads, each with chunks of its own. `layers/` is the specification, and tests hold this
file to it.
"""

from collections.abc import Callable

import numpy as np

from ..kernels.rows import stop_if_failed
from .attention import ChunkAttention
from .chunks import Chunk
from .first import token_sums
from .folding import GELU_LINEAR, FoldedBlock, FoldedWeights
from .stream import add, embed, normalise
from .workspace import Workspace, even_panels


def no_lap(kind: str) -> None:
    """For `run_chunk` where nobody asks how long a kind of layer takes."""


def run_chunk(
    chunk: Chunk,
    weights: FoldedWeights,
    space: Workspace,
    pooling: str,
    skipped: int,
    into: np.ndarray,
    lap: Callable[[str], None] = no_lap,
) -> None:
    """Write the pooled vector of each of the chunk's b sentences into `into` (b, D), zeros so far.

    lap   called after each step with its kind; a residual addition and the layernorm after it are one step
    """
    config = weights.config
    N = len(chunk.ids)
    x, rstd, qkv = space.x[:N], space.rstd[:N], space.qkv[:N]  # (N, D), (N,), (N, 3·D)
    panels = even_panels(N, space.panel)
    first, *others = weights.blocks
    attention = ChunkAttention(chunk, config, space, qkv, space.heads[: chunk.P])

    sums = token_sums(chunk, weights, space, lap)
    for rows in panels if sums is None else ():
        embed(chunk.ids[rows], chunk.positions[rows], weights, x[rows])
        lap("embedding")
        a = space.normalised[: len(x[rows])]  # (r, D)
        normalise(x[rows], a, first.qkv_carrier, rstd[rows], space, config)
        lap("layernorm")
        np.matmul(a, first.qkv, out=qkv[rows])
        lap("qkv")
    for block, following in zip(weights.blocks, [*others, None], strict=True):
        stop_if_failed()
        attention.attend(sums)
        sums = None  # from the second block on
        lap("attention")
        for rows in panels:
            z = merged(space.heads, chunk, rows, space)  # (r, D)
            lap("attention")
            a = space.normalised[: len(z)]  # (r, D)
            scratch = qkv[rows].reshape(-1)  # (r·3·D,) until the next queries, keys and values are written
            update, wide = scratch[: z.size].reshape(z.shape), scratch[z.size :]  # (r, D), (r·2·D,)
            np.matmul(z, block.out, out=update)
            lap("projection")
            add(x[rows], update, block.out_bias, a, block.fc_carrier, rstd[rows], space, config)
            lap("layernorm")
            mlp(a, block, space, wide, update, lap)
            if following is None:
                add(x[rows], update, block.proj_bias, None, 0, rstd[rows], space, config)
                lap("layernorm")
            else:
                add(x[rows], update, block.proj_bias, a, following.qkv_carrier, rstd[rows], space, config)
                lap("layernorm")
                np.matmul(a, following.qkv, out=qkv[rows])
                lap("qkv")
    pool(x, rstd, chunk, weights, pooling, skipped, into, space)
    lap("pooling")


def merged(heads: np.ndarray, chunk: Chunk, rows: slice, space: Workspace) -> np.ndarray:
    """heads (P, D) -> (r, D): of some rows of the chunk"""
    if chunk.places is None:
        return heads[rows]
    z = space.normalised[: rows.stop - rows.start]  # (r, D)
    heads.take(chunk.places[rows], axis=0, out=z, mode="clip")
    return z


def mlp(
    a: np.ndarray,
    block: FoldedBlock,
    space: Workspace,
    scratch: np.ndarray,
    update: np.ndarray,
    lap: Callable[[str], None] = no_lap,
) -> None:
    """a (r, D) -> update (r, D), without the last bias; some of the F columns at a time. May overwrite a.

    scratch   (r·2·D,)
    """
    F = block.fc.shape[1]
    for start in range(0, F, space.wide_columns):
        columns = slice(start, min(start + space.wide_columns, F))
        wide = scratch[: len(a) * (columns.stop - start)].reshape(len(a), -1)  # (r, f)
        np.matmul(a, block.fc[:, columns], out=wide)
        lap("mlp")
        gelu(wide, space)
        lap("gelu")
        spare = a if columns.stop == F else space.more[: len(a)]  # (r, D) nobody reads a after the last part
        product = update if start == 0 else spare
        np.matmul(wide, block.proj[columns], out=product)
        if start:
            update += product
        lap("mlp")


def gelu(wide: np.ndarray, space: Workspace) -> None:
    """y (m, F) becomes y · (1 + tanh(y³ + GELU_LINEAR · y)); see folding.py"""
    step = max(1, space.block // wide.shape[1])
    for start in range(0, len(wide), step):
        y = wide[start : start + step]  # (r, F)
        u = space.gelu[: y.size].reshape(y.shape)  # (r, F)
        np.multiply(y, y, out=u)
        u += GELU_LINEAR
        u *= y
        np.tanh(u, out=u)
        u += 1.0
        y *= u


def pool(
    x: np.ndarray,
    rstd: np.ndarray,
    chunk: Chunk,
    weights: FoldedWeights,
    kind: str,
    skipped: int,
    into: np.ndarray,
    space: Workspace,
) -> None:
    """The last layernorm and the pooling of layers/pooling.py: a mean of normalised rows is x, weighted.

    A sentence of which nothing is pooled keeps the zeros of `into`.
    """
    for start, first, n, T in chunk.runs:
        rows = slice(start, start + n * T)
        if chunk.rows is None:
            stream = x[rows]  # (n·T, D)
        else:
            rows = chunk.rows[rows]  # (n·T,)
            stream = space.gathered[: n * T * x.shape[1]].reshape(n * T, -1)
            x.take(rows, axis=0, out=stream, mode="clip")
        stream, scale = stream.reshape(n, T, -1), rstd[rows].reshape(n, T)  # (n, T, D), (n, T)
        t, lengths = np.arange(T), chunk.lengths[first : first + n, None]  # (T,), (n, 1)
        pooled = (t >= skipped) & (t < lengths)  # (n, T)
        some = lengths[:, 0] > skipped  # (n,)
        if kind == "max":
            hidden = stream * scale[:, :, None] * weights.gain + weights.bias  # (n, T, D)
            vectors = np.where(pooled[:, :, None], hidden, -np.inf).max(axis=1)  # (n, D)
        else:
            share = scale * token_shares(pooled, kind)  # (n, T)
            vectors = np.matmul(share[:, None, :], stream)[:, 0] * weights.gain + weights.bias  # (n, D)
        into[first : first + n][some] = vectors[some]


def token_shares(pooled: np.ndarray, kind: str) -> np.ndarray:
    """(n, T) which tokens are pooled -> (n, T) float32, how much each counts, as in layers/pooling.py"""
    shares = pooled.astype(np.float32)  # (n, T)
    if kind == "weighted_mean":
        shares *= np.arange(1, pooled.shape[1] + 1, dtype=np.float32)
    elif kind == "last":
        shares[:, :-1] *= ~pooled[:, 1:]
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    return shares
