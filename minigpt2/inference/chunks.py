"""Sentences in chunks that one thread computes in one go: sorted by length, each chunk one run of tokens."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np


class Run(NamedTuple):
    """n sentences of T tokens that stand one after the other, from row `start` and place `first` on."""

    start: int
    first: int
    n: int
    T: int


class Chunk(NamedTuple):
    """Some sentences, longest first, without the empty ones."""

    sentences: np.ndarray  # (b,) which they are
    ids: np.ndarray  # (N,)
    positions: np.ndarray  # (N,)
    runs: list[Run]


def make_chunks(
    sentences: Sequence[Sequence[int]], lengths: np.ndarray, most: int, batch_size: int, workers: int
) -> list[Chunk]:
    """B sentences of `lengths` (B,) -> chunks of at most `most` tokens and `batch_size` sentences each.

    A longer sentence is a chunk of its own. The chunks are about equally large, and if there is enough to do
    they are a multiple of `workers`, so that threads that take one after the other end together.
    """
    order = np.argsort(-lengths, kind="stable")  # (B,)
    order = order[: np.count_nonzero(lengths)]  # the empty ones are last
    ends = np.cumsum(lengths[order])  # (B',) tokens up to and with each
    if not len(order):
        return []
    total = int(ends[-1])
    count = -(-total // most)
    if total >= workers * LEAST_TOKENS:
        count = -(-count // workers) * workers
    target = min(most, -(-total // count))
    chunks, start, done = [], 0, 0
    while start < len(order):
        stop = int(np.searchsorted(ends, done + target, side="right"))
        if stop < len(order) and ends[stop - 1] - done < target and ends[stop] - done <= most:
            stop += 1  # a little more than the target rather than one chunk more
        stop = min(max(stop, start + 1), start + batch_size)
        chunks.append(_chunk(sentences, lengths, order[start:stop]))
        start, done = stop, int(ends[stop - 1])
    return chunks


# Fewer tokens than this for each worker are not worth waking another one.
LEAST_TOKENS = 64


def _chunk(sentences: Sequence[Sequence[int]], lengths: np.ndarray, chosen: np.ndarray) -> Chunk:
    T = lengths[chosen]  # (b,)
    N = int(T.sum())
    ids = np.fromiter(chain.from_iterable(sentences[b] for b in chosen.tolist()), np.int64, N)  # (N,)
    offsets = np.cumsum(T) - T  # (b,)
    positions = np.arange(N) - np.repeat(offsets, T)  # (N,)
    firsts = np.flatnonzero(np.diff(T, prepend=-1))  # where a new length begins
    counts = np.diff(firsts, append=len(T))
    runs = [Run(int(offsets[f]), int(f), int(n), int(T[f])) for f, n in zip(firsts, counts, strict=True)]
    return Chunk(chosen, ids, positions, runs)
