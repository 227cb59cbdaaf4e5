"""A batch of sentences without padding: one flat run of tokens and where each sentence starts.

    sentences   [[5, 9, 2], [7], [4, 4]]          B = 3, N = 6
    ids         [5, 9, 2, 7, 4, 4]                (N,)
    positions   [0, 1, 2, 0, 0, 1]                (N,)
    offsets     [0, 3, 4, 6]                      (B+1,)  sentence b is rows offsets[b] to offsets[b+1]

Embedding, layernorm, linear layers and GELU see an (N, D) matrix and need none of this. Attention and
pooling ask for `groups_of_equal_length()`, where n sentences of T tokens are a dense (n, T, …) array.
What a valid token is, is decided here and nowhere else.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np

from .backend import Array, asarray
from .errors import DataError


class Group(NamedTuple):
    """n sentences of one length T. `x[rows].reshape(n, T, …)` stacks them; `y[rows] = …` puts them back.

    Both indices are slices where the sentences lie together, so that indexing with them copies nothing.
    """

    sentences: slice | Array  # (n,) which sentences of the batch
    rows: slice | Array  # (n·T,) which rows of an (N, D) array
    n: int
    T: int


class FlatSentences(Sequence[np.ndarray]):
    """B sentences that lie in one run already: a batch of thousands is made of them without a loop.

    A sequence of arrays of ids like any other; a slice of it is another one, and copies nothing.
    """

    def __init__(self, ids: np.ndarray, lengths: np.ndarray) -> None:
        """ids (N,) whole numbers on the host, lengths (B,). Raises DataError for ids that are none."""
        is_whole = ids.dtype.kind in "iu" and np.can_cast(ids.dtype, np.int64)
        if not is_whole or ids.shape != (lengths.sum(),):
            raise DataError(
                f"ids of {ids.dtype} and shape {ids.shape} are no run of {lengths.sum()} token ids"
            )
        if ids.min(initial=0) < 0:
            raise DataError(f"token id {ids[ids < 0][0]} is negative: ids start at 0")
        self.ids = ids
        self.lengths = lengths
        self.offsets = np.zeros(len(lengths) + 1, dtype=np.int64)  # (B+1,)
        np.cumsum(lengths, out=self.offsets[1:])

    def __len__(self) -> int:
        """B."""
        return len(self.lengths)

    def __getitem__(self, place: int | slice) -> "np.ndarray | FlatSentences":
        """The ids (T,) of one sentence, or the sentences of a slice without step."""
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                raise ValueError("a slice of sentences must not skip or turn any")
            stop = max(start, stop)
            return FlatSentences(self.ids[self.offsets[start] : self.offsets[stop]], self.lengths[start:stop])
        place = range(len(self))[place]
        return self.ids[self.offsets[place] : self.offsets[place + 1]]

    def cut(self, limit: int) -> "FlatSentences":
        """Of each sentence its first `limit` ids."""
        if self.lengths.max(initial=0) <= limit:
            return self
        positions = np.arange(len(self.ids)) - np.repeat(self.offsets[:-1], self.lengths)  # (N,)
        return FlatSentences(self.ids[positions < limit], np.minimum(self.lengths, limit))


class TokenBatch:
    """B sentences, N tokens in all: offsets and lengths on the host, ids and positions where `xp` computes.

    A sentence may be empty: it has no rows, and pooling gives it a zero vector.
    """

    def __init__(self, sentences: Sequence[Sequence[int]], xp: ModuleType = np) -> None:
        """`sentences`: B sequences of ids. Raises DataError for an id that is no whole number or below 0."""
        sentences = flat_sentences(sentences)
        lengths, offsets = sentences.lengths, sentences.offsets  # (B,), (B+1,)
        ids = sentences.ids.astype(np.int64)  # (N,)
        positions = np.arange(len(ids)) - np.repeat(offsets[:-1], lengths)  # (N,)
        self.lengths = lengths
        self.offsets = offsets
        self.ids = asarray(ids, xp)
        self.positions = asarray(positions, xp)
        self.max_id = int(ids.max(initial=-1))
        self.xp = xp
        self._ids_on_host = ids
        self._groups: list[Group] | None = None

    def __repr__(self) -> str:
        return f"TokenBatch({self.B} sentences, {self.N} tokens, longest {self.longest})"

    @property
    def B(self) -> int:
        """Sentences."""
        return len(self.lengths)

    @property
    def N(self) -> int:
        """Tokens in all sentences together."""
        return int(self.offsets[-1])

    @property
    def longest(self) -> int:
        """Tokens of the longest sentence."""
        return int(self.lengths.max(initial=0))

    def check_fits(self, vocab_size: int, n_positions: int) -> None:
        """Raise DataError, naming the place, for an id or a length that the model has no row for.

        The host does this because neither NumPy (negative ids) nor CuPy (any id) refuses a wrong index.
        """
        if self.max_id >= vocab_size:
            row = int(np.argmax(self._ids_on_host >= vocab_size))
            b = int(np.searchsorted(self.offsets, row, side="right")) - 1
            raise DataError(
                f"token id {self._ids_on_host[row]} at position {row - self.offsets[b]} of sentence {b} is "
                f"outside the vocabulary (0 to {vocab_size - 1}): encode with this model's own tokenizer"
            )
        if self.longest > n_positions:
            b = int(np.argmax(self.lengths > n_positions))
            raise DataError(
                f"sentence {b} has {self.lengths[b]} tokens, but the model's window is {n_positions}: "
                f"truncate or split it"
            )

    def groups_of_equal_length(self) -> list[Group]:
        """The non-empty sentences, those of equal length together, shortest first."""
        if self._groups is None:
            # np.unique would import numpy.ma, which takes as long as a short sentence.
            self._groups = [self._group(T) for T in sorted(set(self.lengths.tolist())) if T > 0]
        return self._groups

    def _group(self, T: int) -> Group:
        sentences = np.flatnonzero(self.lengths == T)  # (n,)
        n = len(sentences)
        starts = self.offsets[sentences]  # (n,)
        if starts[-1] - starts[0] == (n - 1) * T:
            rows = slice(int(starts[0]), int(starts[0]) + n * T)
        else:
            rows = asarray((starts[:, None] + np.arange(T)).reshape(n * T), self.xp)  # (n, T) -> (n·T,)
        if sentences[-1] - sentences[0] == n - 1:
            return Group(slice(int(sentences[0]), int(sentences[0]) + n), rows, n, T)
        return Group(asarray(sentences, self.xp), rows, n, T)


def flat_sentences(sentences: Sequence[Sequence[int]]) -> FlatSentences:
    """B sequences of ids in one run. Raises DataError for an id that is no whole number or below 0."""
    if isinstance(sentences, FlatSentences):
        return sentences
    parts = [_as_ids(b, sentence) for b, sentence in enumerate(sentences)]
    lengths = np.array([len(part) for part in parts], dtype=np.int64)  # (B,)
    return FlatSentences(np.concatenate([np.zeros(0, np.int64), *parts]), lengths)


def _as_ids(b: int, sentence: Sequence[int]) -> np.ndarray:
    """Sentence b -> (T,) int64, every id checked to be a whole number of at least 0."""
    try:
        ids = np.asarray(sentence)  # (T,)
    except ValueError:  # lists of unequal length inside the list
        ids = np.empty(())
    if ids.shape == (0,):
        return np.zeros(0, np.int64)
    too_large = ids.dtype.kind == "u" and ids.max(initial=0) > np.iinfo(np.int64).max
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or too_large:
        raise DataError(f"sentence {b} is not a flat sequence of whole token ids")
    if ids.min() < 0:
        raise DataError(f"token id {ids[ids < 0][0]} in sentence {b} is negative: ids start at 0")
    return ids.astype(np.int64)
