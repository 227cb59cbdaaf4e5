"""Sentences in chunks that one thread computes in one go: sorted by length, each chunk one run of tokens."""

from itertools import groupby
from typing import NamedTuple

import numpy as np

from ..ragged import FlatSentences


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


# Fewer tokens than this for each worker are not worth waking another one.
LEAST_TOKENS = 64


def make_chunks(sentences: FlatSentences, most: int, batch_size: int, workers: int) -> list[Chunk]:
    """B sentences -> chunks of at most `most` tokens and `batch_size` sentences each, longest first.

    A longer sentence is a chunk of its own. The chunks are about equally large, and if there is enough to do
    they are a multiple of `workers`, so that threads that take one after the other end together.
    """
    if len(sentences) == 1:  # the commonest call of all, and in a hurry
        T = len(sentences.ids)
        return [Chunk(np.zeros(1, np.intp), sentences.ids, np.arange(T), [Run(0, 0, 1, T)])] if T else []
    lengths = sentences.lengths  # (B,)
    order = np.argsort(-lengths, kind="stable")  # (B,)
    order = order[: np.count_nonzero(lengths)]  # (B',) the empty ones are last
    if not len(order):
        return []
    ends = np.cumsum(lengths[order])  # (B',) tokens up to and with each
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
        chunks.append(_chunk(sentences, order[start:stop]))
        start, done = stop, int(ends[stop - 1])
    return chunks


def _chunk(sentences: FlatSentences, chosen: np.ndarray) -> Chunk:
    T = sentences.lengths[chosen]  # (b,)
    offsets = np.cumsum(T) - T  # (b,)
    positions = np.arange(T.sum()) - np.repeat(offsets, T)  # (N,)
    ids = sentences.ids[np.repeat(sentences.offsets[chosen], T) + positions]  # (N,)
    runs, first = [], 0
    for length, same in groupby(T.tolist()):
        n = len(list(same))
        runs.append(Run(int(offsets[first]), first, n, length))
        first += n
    return Chunk(chosen, ids, positions, runs)
