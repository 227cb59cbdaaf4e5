"""Sentences in chunks that one thread computes in one go.

In a causal model what is computed for a token depends on the tokens before it and on no other. So where
sentences begin alike, the tokens of that beginning are the same in each of them, and are computed once:

    a man sings .       rows 0 1 2 3
    a man sleeps        rows 0 1 4          N = 7 rows for 9 tokens
    the end             rows 5 6

In alphabetical order (of ids) sentences that begin alike are neighbours. Embedding, layernorms and products
see N rows. Attention and pooling need each sentence whole: they see places, of which every sentence has one
for each of its tokens, and `rows` says which row stands at a place. Where little is shared, in a model that
is not causal too, sentences are sorted by length, and every place is a row of its own.

Sharing beginnings is what servers of large language models do between requests: Zheng et al. 2024 (SGLang),
arXiv:2312.07104, section 3 (RadixAttention).
"""

from itertools import groupby
from typing import NamedTuple

import numpy as np

from ..ragged import FlatSentences


class Run(NamedTuple):
    """n sentences that attention takes together, T places each; T is the length of the longest.

    A shorter sentence's last row stands in the places that are left over. What attention computes there is
    not used, and its tokens do not see them.
    """

    start: int  # the first of its n·T places
    first: int  # the first of its sentences in the chunk
    n: int
    T: int


class Chunk(NamedTuple):
    """b sentences, longest first, without the empty ones: N rows, P places."""

    sentences: np.ndarray  # (b,) which they are
    lengths: np.ndarray  # (b,) how many tokens they have
    ids: np.ndarray  # (N,)
    positions: np.ndarray  # (N,)
    runs: list[Run]
    rows: np.ndarray | None  # (P,) which row stands at each place; None: place p is row p
    places: np.ndarray | None  # (N,) a place of each row, where its sentence has a token; None likewise

    @property
    def P(self) -> int:
        """Places."""
        return len(self.ids) if self.rows is None else len(self.rows)

    @property
    def longest(self) -> int:
        """The tokens of the longest sentence."""
        return self.runs[0].T


# Fewer tokens than this for each worker are not worth waking another one.
LEAST_TOKENS = 64

# Sharing rows is worth its cost (rows are gathered for attention, and lengths mixed) from this share of all
# tokens on.
LEAST_SHARED = 1 / 32

# A chunk has at most so many times as many tokens as it may have rows, however much is shared.
TOKENS_PER_ROW = 2

# A run's shortest sentence has at least this share of its longest one's tokens, and a run of several
# sentences at most RUN_PLACES places.
SHORTEST_IN_RUN = 0.85
RUN_PLACES = 1024


def make_chunks(
    sentences: FlatSentences,
    most: int,
    batch_size: int,
    workers: int,
    causal: bool,
    most_tokens: int | None = None,
) -> list[Chunk]:
    """B sentences -> chunks of at most `most` rows, `most_tokens` tokens and `batch_size` sentences.

    most_tokens   None: TOKENS_PER_ROW · most

    A longer sentence is a chunk of its own. The chunks are about equally large, and if there is enough to do
    they are a multiple of `workers`, so that threads that take one after the other end together.
    """
    if len(sentences) == 1:  # the commonest call of all, and in a hurry
        T = len(sentences.ids)
        zero = np.zeros(1, np.intp)
        return [_plain(zero, sentences.lengths, sentences.ids, np.arange(T))] if T else []
    order, common = _shared_order(sentences) if causal else (_length_order(sentences), None)
    if not len(order):
        return []
    lengths = sentences.lengths[order]  # (B',)
    tokens = np.cumsum(lengths)  # (B',) up to and with each
    ends = tokens if common is None else tokens - np.cumsum(common)  # (B',) rows up to and with each
    total = int(ends[-1])
    count = -(-total // most)
    if total >= workers * LEAST_TOKENS:
        count = -(-count // workers) * workers
    target = min(most, -(-total // count))
    most_tokens = most_tokens or TOKENS_PER_ROW * most
    chunks, start = [], 0
    while start < len(order):
        done = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, done + target, side="right"))
        if stop < len(order) and ends[stop - 1] - done < target:
            stop += 1  # a little more than the target rather than one chunk more
        # What the first sentence shares with the last chunk is computed again: it counts here, and not in the
        # target, or a beginning as long as the target would leave each sentence in a chunk of its own.
        for to, limit in ((ends, most), (tokens, most_tokens)):
            before = int(to[start] - lengths[start])
            stop = min(stop, int(np.searchsorted(to, before + limit, side="right")))
        stop = min(max(stop, start + 1), start + batch_size)
        chosen = order[start:stop]
        if common is None:
            chunks.append(_by_length(sentences, chosen))
        else:
            chunks.append(_sharing(sentences, chosen, common[start:stop]))
        start = stop
    return chunks


def _length_order(sentences: FlatSentences) -> np.ndarray:
    """(B',) the sentences that have tokens, longest first"""
    order = np.argsort(-sentences.lengths, kind="stable")  # (B,)
    return order[: np.count_nonzero(sentences.lengths)]  # the empty ones are last


def _shared_order(sentences: FlatSentences) -> tuple[np.ndarray, np.ndarray | None]:
    """(B',) the sentences that have tokens in alphabetical order of their ids, and with how many tokens each
    begins like the one before it (B',); by length, and None, if that is too little of all"""
    order = _alphabetical_order(sentences)
    if not len(order):
        return order, None
    common = _common_beginnings(sentences, order)
    if common.sum() < LEAST_SHARED * len(sentences.ids):
        return _length_order(sentences), None
    return order, common


def _alphabetical_order(sentences: FlatSentences) -> np.ndarray:
    """(B',) the sentences that have tokens, compared by their ids"""
    stored = sentences.ids.astype(">u8").tobytes()  # big-endian: bytes have the order of numbers
    edges = (8 * sentences.offsets).tolist()
    keys = [stored[edges[b] : edges[b + 1]] for b in range(len(sentences))]
    return np.array(sorted(filter(keys.__getitem__, range(len(keys))), key=keys.__getitem__), np.intp)


def _common_beginnings(sentences: FlatSentences, order: np.ndarray) -> np.ndarray:
    """(B',): with how many tokens each sentence begins like the one before it in `order`; 0 for the first"""
    offsets, lengths = sentences.offsets[order], sentences.lengths[order]  # (B',) each
    shorter = np.minimum(lengths[1:], lengths[:-1])  # (B'−1,) so many tokens are compared
    edges = np.cumsum(shorter) - shorter  # (B'−1,)
    steps = np.arange(shorter.sum()) - np.repeat(edges, shorter)
    ids = sentences.ids
    differ = ids[np.repeat(offsets[1:], shorter) + steps] != ids[np.repeat(offsets[:-1], shorter) + steps]
    at = np.append(np.flatnonzero(differ), len(differ))  # where two differ, and one place after all
    first = at[np.searchsorted(at, edges)]  # (B'−1,) the first such place of each pair, or of a later one
    return np.append(0, np.minimum(first - edges, shorter))


def _by_length(sentences: FlatSentences, chosen: np.ndarray) -> Chunk:
    """The chunk of some sentences that are sorted by length"""
    T = sentences.lengths[chosen]  # (b,)
    positions = np.arange(T.sum()) - np.repeat(np.cumsum(T) - T, T)  # (N,)
    ids = sentences.ids[np.repeat(sentences.offsets[chosen], T) + positions]  # (N,)
    return _plain(chosen, T, ids, positions)


def _plain(chosen: np.ndarray, lengths: np.ndarray, ids: np.ndarray, positions: np.ndarray) -> Chunk:
    """Runs of equal length, one after the other"""
    runs, start, first = [], 0, 0
    for T, same in groupby(lengths.tolist()):
        n = len(list(same))
        runs.append(Run(start, first, n, T))
        start, first = start + n * T, first + n
    return Chunk(chosen, lengths, ids, positions, runs, None, None)


def _sharing(sentences: FlatSentences, chosen: np.ndarray, common: np.ndarray) -> Chunk:
    """The chunk of some sentences in alphabetical order, each with its beginning in common with the last

    common   (b,) tokens; of the first sentence it does not count
    """
    T = sentences.lengths[chosen]  # (b,)
    common = np.append(0, common[1:])  # (b,)
    own = T - common  # (b,) rows that a sentence is the first to have
    start = np.cumsum(own) - own  # (b,)
    positions = np.arange(own.sum()) - np.repeat(start - common, own)  # (N,)
    ids = sentences.ids[np.repeat(sentences.offsets[chosen], own) + positions]  # (N,)

    # The row of token t is that of the last sentence, up to this one, that was the first to have its row t.
    t = np.arange(T.max())
    from_t = np.where(t >= common[:, None], np.arange(len(T))[:, None], 0)  # (b, T)
    row = (start - common)[np.maximum.accumulate(from_t)] + t  # (b, T) meaningless after the end

    order = np.argsort(-T, kind="stable")  # (b,) longest first
    T, row = T[order], row[order]
    runs, rows, first, place = [], [], 0, 0
    for n, longest in _alike(T.tolist()):
        run = slice(first, first + n)
        in_sentence = np.minimum(t[:longest], T[run, None] - 1)  # (n, T)
        rows.append(np.take_along_axis(row[run], in_sentence, axis=1).ravel())  # (n·T,)
        runs.append(Run(place, first, n, longest))
        first, place = first + n, place + n * longest
    rows = np.concatenate(rows)  # (P,)
    places = np.empty(len(ids), np.intp)  # (N,)
    places[rows[::-1]] = np.arange(place)[::-1]  # the first place of a row is never one that is left over
    return Chunk(chosen[order], T, ids, positions, runs, rows, places)


def _alike(lengths: list[int]) -> list[tuple[int, int]]:
    """Descending lengths -> runs of about equal ones: how many, and the length of the longest"""
    runs, first = [], 0
    while first < len(lengths):
        longest, stop = lengths[first], first + 1
        while (
            stop < len(lengths)
            and lengths[stop] >= SHORTEST_IN_RUN * longest
            and (stop + 1 - first) * longest <= RUN_PLACES
        ):
            stop += 1
        runs.append((stop - first, longest))
        first = stop
    return runs
