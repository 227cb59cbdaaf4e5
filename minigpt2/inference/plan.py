"""The same vectors as the explicit layers give, computed with everything that may be prepared prepared.

    x = wte[ids] + wpe[positions]                        centred: see folding.py
    for each block:
        a = x · rstd(x);  q, k, v = split(a · W_qkv);  q += b_q
        x += merge(softmax(q · kᵀ) · v) · W_out + b_out
        a = x · rstd(x)
        x += gelu(a · W_fc + b_fc) · W_proj + b_proj     gelu without its factors
    y = pool(x · rstd(x)) · gain + bias

What makes it fast is not other mathematics but where the numbers are: sentences sorted by length, so that
attention takes groups of equal length; chunks of some hundred tokens, whose activations stay in the cache; no
array made on the way; two Python threads, each with chunks of its own. `layers/` is the specification, and
tests hold this file to it.
"""

import functools
from collections.abc import Callable

import numpy as np

from ..config import GPT2Config
from .chunks import Chunk, Run
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
    x, a, update = space.x[:N], space.normalised[:N], space.update[:N]  # (N, D) each
    qkv, rstd = space.qkv[:N], space.rstd[:N]  # (N, 3·D), (N,)

    embed(chunk, weights, x)
    lap("embedding")
    normalise(x, a, rstd, space, config)
    lap("layernorm")
    for i, block in enumerate(weights.blocks):
        np.matmul(a, block.qkv, out=qkv)
        lap("qkv")
        attend(qkv, chunk.runs, config, block.q_bias, space, a)  # the heads' results take the place of a
        lap("attention")
        np.matmul(a, block.out, out=update)
        lap("projection")
        add(x, update, block.out_bias, a, rstd, space, config)
        lap("layernorm")
        mlp(a, block, space, update, lap)
        last = i == config.L - 1
        add(x, update, block.proj_bias, None if last else a, rstd, space, config)
        lap("layernorm")
    pool(x, rstd, chunk, weights, pooling, skipped, into)
    lap("pooling")


def embed(chunk: Chunk, weights: FoldedWeights, x: np.ndarray) -> None:
    """x (N, D) = wte[ids] + wpe[positions], centred"""
    np.add(weights.wte[chunk.ids], weights.wpe[chunk.positions], out=x)
    x -= x.mean(axis=1, keepdims=True)


def normalise(x: np.ndarray, a: np.ndarray, rstd: np.ndarray, space: Workspace, config: GPT2Config) -> None:
    """a (N, D) = x · rstd, rstd (N,) = 1 / sqrt(mean(x²) + eps)"""
    for start in range(0, len(x), space.block_rows):
        rows = slice(start, start + space.block_rows)
        _normalise_rows(x[rows], a[rows], rstd[rows], config)


def add(
    x: np.ndarray,
    update: np.ndarray,
    bias: np.ndarray,
    a: np.ndarray | None,
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
        _normalise_rows(block, None if a is None else a[rows], rstd[rows], config)


def _normalise_rows(x: np.ndarray, a: np.ndarray | None, rstd: np.ndarray, config: GPT2Config) -> None:
    np.vecdot(x, x, out=rstd)
    rstd *= 1.0 / config.D
    rstd += config.layer_norm_epsilon
    np.sqrt(rstd, out=rstd)
    np.reciprocal(rstd, out=rstd)
    if a is not None:
        np.multiply(x, rstd[:, None], out=a)


def attend(
    qkv: np.ndarray, runs: list[Run], config: GPT2Config, q_bias: np.ndarray, space: Workspace, z: np.ndarray
) -> None:
    """qkv (N, 3·D) -> z (N, D); the query's bias is added into qkv. D may be that of some of the heads."""
    D, K = z.shape[1], config.K
    H = D // K
    qkv[:, :D] += q_bias
    for start, _, n, T in runs:
        rows = slice(start, start + n * T)
        q, k, v = qkv[rows].reshape(n, T, 3, H, K).transpose(2, 0, 3, 1, 4)  # (n, H, T, K) each
        gathered = z[rows].reshape(n, T, H, K).transpose(0, 2, 1, 3)  # (n, H, T, K) a view of z
        for first in range(0, T, QUERY_ROWS):
            last = min(first + QUERY_ROWS, T)
            seen = last if config.causal else T
            for some, heads in _parts(n, H, (last - first) * seen):
                part = (some, heads)
                _attend_part(
                    q[part][:, :, first:last], k[part][:, :, :seen], v[part][:, :, :seen],
                    gathered[part][:, :, first:last], config.causal, space,
                )  # fmt: skip


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
    """a (N, D) -> update (N, D), without the last bias"""
    for start in range(0, len(a), space.mlp_rows):
        rows = slice(start, start + space.mlp_rows)
        wide = space.wide[: len(a[rows])]  # (m, F)
        np.matmul(a[rows], block.fc, out=wide)
        lap("mlp")
        gelu(wide, block.fc_bias, space)
        lap("gelu")
        np.matmul(wide, block.proj, out=update[rows])
        lap("mlp")


def gelu(wide: np.ndarray, bias: np.ndarray, space: Workspace) -> None:
    """wide (m, F) becomes y · (1 + tanh(y³ + GELU_LINEAR · y)) with y = wide + bias; see folding.py"""
    step = max(1, len(space.gelu) // wide.shape[1])
    for start in range(0, len(wide), step):
        y = wide[start : start + step]  # (r, F)
        u = space.gelu[: y.size].reshape(y.shape)  # (r, F)
        y += bias
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
    """The last layernorm and the pooling of layers/pooling.py: a mean of normalised rows is x, weighted."""
    for start, first, n, T in chunk.runs:
        if skipped >= T:
            continue
        rows = slice(start, start + n * T)
        stream = x[rows].reshape(n, T, -1)[:, skipped:]  # (n, T', D)
        scale = rstd[rows].reshape(n, T)[:, skipped:]  # (n, T')
        if kind == "max":
            hidden = stream * scale[:, :, None] * weights.gain + weights.bias  # (n, T', D)
            vectors = hidden.max(axis=1)  # (n, D)
        else:
            share = scale * token_shares(T - skipped, kind, skipped)  # (n, T')
            vectors = np.matmul(share[:, None, :], stream)[:, 0] * weights.gain + weights.bias  # (n, D)
        into[first : first + n] = vectors


def token_shares(T: int, kind: str, skipped: int) -> np.ndarray:
    """How much each of T tokens counts in its sentence: (T,) float32, as in layers/pooling.py"""
    t = np.arange(1, T + 1)
    if kind == "mean":
        shares = np.full(T, 1.0 / T)
    elif kind == "weighted_mean":
        shares = (skipped + t) / (skipped * T + T * (T + 1) / 2)
    else:
        shares = (t == T).astype(np.float64)
    return shares.astype(np.float32)
