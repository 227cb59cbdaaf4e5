"""The same vectors as the explicit layers give, computed with everything that may be prepared prepared.

    x = wte[ids] + wpe[positions]                        centred: see folding.py
    for each block:
        a = x · rstd(x), with a 1;  q, k, v = split(a · W_qkv)
        x += merge(softmax(q · kᵀ) · v) · W_out + b_out
        a = x · rstd(x), with a 1
        x += gelu(a · W_fc) · W_proj + b_proj            gelu without its factors
    y = pool(x · rstd(x)) · gain + bias

What makes it fast is little other mathematics, and where the numbers are: rows that sentences share are
computed once (chunks.py); attention takes sentences of about equal length together; between two attentions
some hundred rows at a time pass through everything, and stay in the cache; no array is made on the way; two
Python threads, each with chunks of its own. `layers/` is the specification, and tests hold this file to it.
"""

import functools
import itertools
from collections.abc import Callable

import numpy as np

from ..config import GPT2Config
from ..kernels.rows import stop_if_failed
from .chunks import Chunk
from .folding import GELU_LINEAR, FoldedBlock, FoldedWeights
from .workspace import QUERY_ROWS, SCORES, Workspace

# If the sum of exp(score) over a row lies between these, no score was too large for exp and the largest not
# too small; then the row's largest score need not be looked for.
LEAST_TOTAL, LARGEST_TOTAL = 1e-25, 1e25


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

    for rows in panels:
        embed(chunk.ids[rows], chunk.positions[rows], weights, x[rows])
        lap("embedding")
        a = space.normalised[: len(x[rows])]  # (r, D)
        normalise(x[rows], a, first.qkv_carrier, rstd[rows], space, config)
        lap("layernorm")
        np.matmul(a, first.qkv, out=qkv[rows])
        lap("qkv")
    for block, following in zip(weights.blocks, [*others, None], strict=True):
        stop_if_failed()
        attend(qkv, chunk, config, space, space.heads[: chunk.P])
        lap("attention")
        for rows in panels:
            z = merged(space.heads, chunk, rows, space)  # (r, D)
            lap("attention")
            a, update = space.normalised[: len(z)], space.update[: len(z)]  # (r, D) each
            np.matmul(z, block.out, out=update)
            lap("projection")
            add(x[rows], update, block.out_bias, a, block.fc_carrier, rstd[rows], space, config)
            lap("layernorm")
            mlp(a, block, space, update, lap)
            if following is None:
                add(x[rows], update, block.proj_bias, None, 0, rstd[rows], space, config)
                lap("layernorm")
            else:
                add(x[rows], update, block.proj_bias, a, following.qkv_carrier, rstd[rows], space, config)
                lap("layernorm")
                np.matmul(a, following.qkv, out=qkv[rows])
                lap("qkv")
    pool(x, rstd, chunk, weights, pooling, skipped, into)
    lap("pooling")


def even_panels(N: int, most: int) -> list[slice]:
    """The rows 0 … N−1 in the fewest runs of at most `most`, nearly equal"""
    count = -(-N // most)
    edges = [i * N // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def embed(ids: np.ndarray, positions: np.ndarray, weights: FoldedWeights, x: np.ndarray) -> None:
    """x (N, D) = wte[ids] + wpe[positions], centred"""
    np.add(weights.wte[ids], weights.wpe[positions], out=x)
    x -= x.mean(axis=1, keepdims=True)


def normalise(
    x: np.ndarray, a: np.ndarray, carrier: int, rstd: np.ndarray, space: Workspace, config: GPT2Config
) -> None:
    """a (N, D) = x · rstd, with a 1 in the carrier's column; rstd (N,) = 1 / sqrt(mean(x²) + eps)"""
    for start in range(0, len(x), space.block_rows):
        rows = slice(start, start + space.block_rows)
        _normalise_rows(x[rows], a[rows], carrier, rstd[rows], config)


def add(
    x: np.ndarray,
    update: np.ndarray,
    bias: np.ndarray,
    a: np.ndarray | None,
    carrier: int,
    rstd: np.ndarray,
    space: Workspace,
    config: GPT2Config,
) -> None:
    """x += update + bias, and what the next sublayer reads: rstd (N,), and a (N, D) unless it is None"""
    for start in range(0, len(x), space.block_rows):
        rows = slice(start, start + space.block_rows)
        block = x[rows]
        block += update[rows]
        block += bias
        _normalise_rows(block, None if a is None else a[rows], carrier, rstd[rows], config)


def _normalise_rows(
    x: np.ndarray, a: np.ndarray | None, carrier: int, rstd: np.ndarray, config: GPT2Config
) -> None:
    np.vecdot(x, x, out=rstd)
    rstd *= 1.0 / config.D
    rstd += config.layer_norm_epsilon
    np.sqrt(rstd, out=rstd)
    np.reciprocal(rstd, out=rstd)
    if a is not None:
        np.multiply(x, rstd[:, None], out=a)
        a[:, carrier] = 1.0


def attend(qkv: np.ndarray, chunk: Chunk, config: GPT2Config, space: Workspace, heads: np.ndarray) -> None:
    """qkv (N, 3·D) -> heads (P, D): what the token at each place gathers; D may be of some heads only"""
    D, K = heads.shape[1], config.K
    H = D // K
    for start, _, n, T in chunk.runs:
        places = slice(start, start + n * T)
        if chunk.rows is None:
            run = qkv[places]  # (n·T, 3·D)
        else:
            run = space.gathered[: n * T * 3 * D].reshape(n * T, 3 * D)
            np.take(qkv, chunk.rows[places], axis=0, out=run, mode="clip")  # "raise" would make a copy
        q, k, v = run.reshape(n, T, 3, H, K).transpose(2, 0, 3, 1, 4)  # (n, H, T, K) each
        gathered = heads[places].reshape(n, T, H, K).transpose(0, 2, 1, 3)  # (n, H, T, K) a view of heads
        for first in range(0, T, QUERY_ROWS):
            last = min(first + QUERY_ROWS, T)
            seen = last if config.causal else T
            for some, of in _parts(n, H, (last - first) * seen):
                part = (some, of)
                _attend_part(
                    q[part][:, :, first:last], k[part][:, :, :seen], v[part][:, :, :seen],
                    gathered[part][:, :, first:last], config.causal, space,
                )  # fmt: skip


def merged(heads: np.ndarray, chunk: Chunk, rows: slice, space: Workspace) -> np.ndarray:
    """heads (P, D) -> (r, D): of some rows of the chunk"""
    if chunk.places is None:
        return heads[rows]
    z = space.normalised[: rows.stop - rows.start]  # (r, D)
    np.take(heads, chunk.places[rows], axis=0, out=z, mode="clip")
    return z


def _parts(n: int, H: int, scores: int) -> list[tuple[slice, slice]]:
    """Sentences and heads that are taken together, so that they have at most SCORES, each having `scores`"""
    if n * H * scores <= SCORES:
        return [(slice(0, n), slice(0, H))]
    if H * scores <= SCORES:
        step = SCORES // (H * scores)
        return [(slice(i, i + step), slice(0, H)) for i in range(0, n, step)]
    step = max(1, SCORES // scores)
    return [(slice(i, i + 1), slice(h, h + step)) for i in range(n) for h in range(0, H, step)]


def _attend_part(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, into: np.ndarray, causal: bool, space: Workspace
) -> None:
    """q (n, h, t, K), k and v (n, h, S, K) -> into (n, h, t, K): query i stands at position S − t + i"""
    n, h, t, _ = q.shape
    S = k.shape[2]
    flat = space.scores[: n * h * t * S]
    scores, rows = flat.reshape(n, h, t, S), flat.reshape(n * h * t, S)
    _scores(q, k, causal, scores)
    np.exp(flat, out=flat)
    total = rows @ space.ones[:S]  # (n·h·t,)
    if not (total.min() > LEAST_TOTAL and total.max() < LARGEST_TOTAL):
        _scores(q, k, causal, scores)
        rows -= rows.max(axis=1, keepdims=True)
        np.exp(flat, out=flat)
        total = rows @ space.ones[:S]  # (n·h·t,)
    rows *= np.reciprocal(total)[:, None]
    np.matmul(scores, v, out=into)


def _scores(q: np.ndarray, k: np.ndarray, causal: bool, scores: np.ndarray) -> None:
    """scores (n, h, t, S) = q · kᵀ, −inf for the keys after a query"""
    n, h, t, S = scores.shape
    np.matmul(q, k.swapaxes(2, 3), out=scores)
    if not causal or t == 1:
        return
    if t == S:  # the same numbers in longer rows, which is faster
        pairs = scores.reshape(n * h, t * t)
        pairs += _hidden(t)
    else:
        scores[..., S - t :] += _hidden(t).reshape(t, t)


@functools.lru_cache(QUERY_ROWS)
def _hidden(t: int) -> np.ndarray:
    """What is added to the scores of t queries and the last t keys: (t·t,), −inf above the diagonal"""
    return np.where(np.tri(t, dtype=bool), 0.0, -np.inf).astype(np.float32).reshape(t * t)


def mlp(
    a: np.ndarray,
    block: FoldedBlock,
    space: Workspace,
    update: np.ndarray,
    lap: Callable[[str], None] = no_lap,
) -> None:
    """a (r, D) -> update (r, D), without the last bias; some of the F columns at a time"""
    F = block.fc.shape[1]
    for start in range(0, F, space.wide_columns):
        columns = slice(start, min(start + space.wide_columns, F))
        wide = space.wide[: len(a) * (columns.stop - start)].reshape(len(a), -1)  # (r, f)
        np.matmul(a, block.fc[:, columns], out=wide)
        lap("mlp")
        gelu(wide, space)
        lap("gelu")
        product = update if start == 0 else space.more[: len(a)]  # (r, D)
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
) -> None:
    """The last layernorm and the pooling of layers/pooling.py: a mean of normalised rows is x, weighted.

    A sentence of which nothing is pooled keeps the zeros of `into`.
    """
    for start, first, n, T in chunk.runs:
        rows = slice(start, start + n * T)
        if chunk.rows is not None:
            rows = chunk.rows[rows]  # (n·T,)
        stream, scale = x[rows].reshape(n, T, -1), rstd[rows].reshape(n, T)  # (n, T, D), (n, T)
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
    shares = pooled.astype(np.float64)  # (n, T)
    if kind == "weighted_mean":
        shares *= np.arange(1, pooled.shape[1] + 1)
    elif kind == "last":
        shares[:, :-1] *= ~pooled[:, 1:]
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    return shares.astype(np.float32)
