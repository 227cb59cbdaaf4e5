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
# the product (sgemm_small_kernel_permit of its AVX-512 kernels).
SMALL_PRODUCT = 1200

# A causal query sees nothing after itself, so the keys after some queries are not multiplied at all: of a
# sentence of up to so many tokens that is worth a product for every FEW_QUERIES, of a longer one for every
# QUERY_ROWS.
FEW_QUERIES = 24
FEW_QUERIES_UP_TO = 192


class Part(NamedTuple):
    """Some queries of some heads of some sentences: query i stands at position S − t + i of S keys."""

    q: np.ndarray  # (n, h, t, K)
    k: np.ndarray  # (n, h, K, S)
    v: np.ndarray  # (n, h, S, K)
    scores: np.ndarray  # (n, h, t, S)
    rows: np.ndarray  # (n·h·t, S) the same numbers
    ones: np.ndarray  # (S,)
    masked: np.ndarray | None  # those of the scores to which
    mask: np.ndarray | None  # is added; None if every query sees all of these keys
    into: np.ndarray  # (n, h, t, K)


class AttentionRun(NamedTuple):
    """n sentences of T places each."""

    n: int
    T: int
    places: slice
    rows: np.ndarray | None  # (n·T,) the chunk's row that stands at each place; None: they are its places
    gathered: np.ndarray  # (n·T, 3·D) what is computed from
    parts: list[Part]


class ChunkAttention:
    """qkv (N, 3·D) of a chunk's rows -> heads (P, D) of its places, as often as there are blocks."""

    def __init__(
        self, chunk: Chunk, config: GPT2Config, space: Workspace, qkv: np.ndarray, heads: np.ndarray
    ) -> None:
        """qkv, heads   where both will be; D may be of some heads only"""
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
            self.runs.append(AttentionRun(n, T, places, rows, gathered, parts))

    def attend(self, sums: TokenSums | None = None) -> None:
        """sums   in the first block, of what qkv is the sum; None: qkv is there"""
        for run in self.runs:
            if sums is not None:
                _add_up(sums, run)
            elif run.rows is not None:
                self.qkv.take(run.rows, axis=0, out=run.gathered, mode="clip")  # "raise" would make a copy
            for part in run.parts:
                _attend(part)


def _add_up(sums: TokenSums, run: AttentionRun) -> None:
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
    step = _query_rows(T, causal)
    for first in range(0, T, step):
        last = min(first + step, T)
        t, S = last - first, last if causal else T
        for some in _sentences_and_heads(n, H, t * S):
            part_q = q[some][:, :, first:last]  # (n', h, t, K)
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
                part_q, k[some][..., :S], v[some][:, :, :S], scores, rows, space.ones[:S],
                masked, mask, into[some][:, :, first:last],
            )  # fmt: skip


def _query_rows(T: int, causal: bool) -> int:
    """Queries of one product, of T in all"""
    if T * T <= SMALL_PRODUCT:
        return T
    small = T * FEW_QUERIES <= SMALL_PRODUCT or (causal and T <= FEW_QUERIES_UP_TO)
    return even_step(T, FEW_QUERIES if small else QUERY_ROWS)


def _sentences_and_heads(n: int, H: int, scores: int) -> Iterator[tuple[slice, slice]]:
    """Which are taken together, so that they have at most SCORES, each having `scores`"""
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
    rows = part.rows
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
    np.matmul(part.q, part.k, out=part.scores)
    if part.mask is not None:
        np.add(part.masked, part.mask, out=part.masked)


@functools.lru_cache(QUERY_ROWS)
def _hidden(t: int) -> np.ndarray:
    """What is added to the scores of t queries and the last t keys: (t·t,), −inf above the diagonal"""
    return np.where(np.tri(t, dtype=bool), 0.0, -np.inf).astype(np.float32).reshape(t * t)
