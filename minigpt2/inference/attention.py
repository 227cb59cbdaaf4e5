"""Attention over the sentences of one chunk.

    scores = q · kᵀ, and −inf for the keys after a query          1/sqrt(K) is in the weights: see folding.py
    z = softmax(scores) · v

Sentences of about equal length are taken together. Every block computes the same shapes in the same memory,
so all views of it are made once for a chunk, and a block is a short list of array operations.
"""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..config import GPT2Config
from .chunks import Chunk
from .first import TokenSums
from .workspace import QUERY_ROWS, SCORES, Workspace, even_step

# If the sum of exp(score) over a row lies between these, no score was too large for exp and the largest not
# too small; then the row's largest score need not be looked for.
LEAST_TOTAL, LARGEST_TOTAL = 1e-25, 1e25

# Up to so many scores OpenBLAS computes q · kᵀ without packing the operands first, which takes longer than
# the product (sgemm_small_kernel_permit of its AVX-512 kernels, for K of at least 32).
SMALL_PRODUCT = 1200

# Queries of one product where that keeps it small, or where a causal sentence has at most FEW_QUERIES_UP_TO
# tokens: a query sees nothing after itself, so the keys after a product's queries are not multiplied at all.
FEW_QUERIES = 24
FEW_QUERIES_UP_TO = 192


class Part(NamedTuple):
    """t consecutive queries of h heads of n sentences, and the S keys that they may see.

    Causal: the last query's own key is the last of the S, so query i sees the first S − t + i + 1.
    """

    q: np.ndarray  # (n, h, t, K)
    k: np.ndarray  # (n, h, K, S)
    v: np.ndarray  # (n, h, S, K)
    scores: np.ndarray  # (n, h, t, S)
    rows: np.ndarray  # (n·h·t, S) the same numbers
    ones: np.ndarray  # (S,)
    masked: np.ndarray | None  # (n·h, t·t) or (n, h, t, t) the scores of the last t keys; None: all are seen
    mask: np.ndarray | None  # (t·t,) or (t, t) added to them: −inf for the keys after a query
    into: np.ndarray  # (n, h, t, K) a view of the heads


class AttentionRun(NamedTuple):
    """n sentences of T places each."""

    n: int
    T: int
    rows: np.ndarray | None  # (n·T,) the chunk's row that stands at each place; None: nothing is gathered
    gathered: np.ndarray  # (n·T, 3·D) the q, k and v of its places: a copy, or a view of the chunk's
    parts: list[Part]


class ChunkAttention:
    """qkv (N, 3·D) of a chunk's rows -> heads (P, D) of its places, as often as there are blocks."""

    def __init__(
        self, chunk: Chunk, config: GPT2Config, space: Workspace, qkv: np.ndarray, heads: np.ndarray
    ) -> None:
        """qkv, heads   what every `attend` reads and writes; of some heads only, D is their width"""
        self.qkv, self.heads = qkv, heads
        self.runs = []
        D, K = heads.shape[1], config.K
        H = D // K
        for start, _, n, T in chunk.runs:
            places = slice(start, start + n * T)
            if chunk.rows is None:
                rows, gathered = None, qkv[places]  # (n·T, 3·D)
            else:
                rows = chunk.rows[places]  # (n·T,)
                gathered = space.gathered[: n * T * 3 * D].reshape(n * T, 3 * D)
            q, k, v = gathered.reshape(n, T, 3, H, K).transpose(2, 0, 3, 1, 4)  # (n, H, T, K) each
            into = heads[places].reshape(n, T, H, K).transpose(0, 2, 1, 3)  # (n, H, T, K) a view of heads
            parts = list(_parts(q, k.swapaxes(2, 3), v, into, config.causal, space))
            self.runs.append(AttentionRun(n, T, rows, gathered, parts))

    def attend(self, sums: TokenSums | None = None) -> None:
        """sums   in the first block, what q, k and v are added up from; None: `self.qkv` holds them"""
        for run in self.runs:
            if sums is not None:
                _add_up(sums, run)
            elif run.rows is not None:
                self.qkv.take(run.rows, axis=0, out=run.gathered, mode="clip")  # "raise" would make a copy
            for part in run.parts:
                _attend(part)


def _add_up(sums: TokenSums, run: AttentionRun) -> None:
    """rstd · (token + position) + bias for each place of the run.

    One that is left over has a token and another position, and nobody reads what comes of it.
    """
    qkv = run.gathered  # (n·T, 3·D)
    sums.tokens.take(sums.token[run.rows], axis=0, out=qkv, mode="clip")
    by_sentence = qkv.reshape(run.n, run.T, -1)
    by_sentence += sums.positions[: run.T]
    qkv *= sums.rstd[run.rows][:, None]
    qkv[:, : len(sums.bias)] += sums.bias


def _parts(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, into: np.ndarray, causal: bool, space: Workspace
) -> Iterator[Part]:
    """q, v and into (n, H, T, K), k (n, H, K, T) in parts with at most SCORES, or of one head"""
    n, H, T, _ = q.shape
    for queries, keys in products_of(T, causal):
        t, S = queries.stop - queries.start, keys.stop
        for some in _sentences_and_heads(n, H, t * S):
            part_q = q[some][:, :, queries]  # (n', h, t, K)
            shape = (*part_q.shape[:3], S)
            rows = space.scores[: math.prod(shape)].reshape(-1, S)
            scores = rows.reshape(shape)
            masked = mask = None
            if causal and t > 1:
                mask = _hidden(t)  # (t·t,)
                if t == S:  # the same numbers in longer rows, which is faster
                    masked = rows.reshape(-1, t * t)
                else:
                    masked, mask = scores[..., S - t :], mask.reshape(t, t)
            yield Part(
                part_q, k[some][..., keys], v[some][:, :, keys], scores, rows, space.ones[keys],
                masked, mask, into[some][:, :, queries],
            )  # fmt: skip


def products_of(T: int, causal: bool) -> list[tuple[slice, slice]]:
    """Which queries and keys are multiplied with one another, for each head of a sentence of T tokens."""
    step = T
    if T * T > SMALL_PRODUCT:
        small = T * FEW_QUERIES <= SMALL_PRODUCT or (causal and T <= FEW_QUERIES_UP_TO)
        step = even_step(T, FEW_QUERIES if small else QUERY_ROWS)
    queries = [slice(first, min(first + step, T)) for first in range(0, T, step)]
    return [(some, slice(0, some.stop if causal else T)) for some in queries]


def _sentences_and_heads(n: int, H: int, scores: int) -> Iterator[tuple[slice, slice]]:
    """Sentences and heads of at most SCORES together, or one head of one sentence; `scores`: of such a one"""
    if H * scores <= SCORES:
        step = SCORES // (H * scores)
        for i in range(0, n, step):
            yield slice(i, min(i + step, n)), slice(0, H)
    else:
        step = max(1, SCORES // scores)
        for i in range(n):
            for h in range(0, H, step):
                yield slice(i, i + 1), slice(h, min(h + step, H))


def _attend(part: Part) -> None:
    """part.into (n, h, t, K) = softmax(scores) · v"""
    rows = part.rows  # (n·h·t, S)
    _scores(part)
    np.exp(rows, out=rows)
    total = np.matmul(rows, part.ones)  # (n·h·t,)
    if not (np.minimum.reduce(total) > LEAST_TOTAL and np.maximum.reduce(total) < LARGEST_TOTAL):
        _scores(part)
        rows -= rows.max(axis=1, keepdims=True)
        np.exp(rows, out=rows)
        total = np.matmul(rows, part.ones)
    rows *= np.reciprocal(total)[:, None]
    np.matmul(part.scores, part.v, out=part.into)


def _scores(part: Part) -> None:
    """part.scores (n, h, t, S) = q · kᵀ, −inf for the keys after a query"""
    np.matmul(part.q, part.k, out=part.scores)
    if part.mask is not None:
        np.add(part.masked, part.mask, out=part.masked)


@functools.lru_cache(QUERY_ROWS)
def _hidden(t: int) -> np.ndarray:
    """What is added to the scores of t queries and the last t keys: (t·t,), −inf above the diagonal"""
    return np.where(np.tri(t, dtype=bool), 0.0, -np.inf).astype(np.float32).reshape(t * t)
