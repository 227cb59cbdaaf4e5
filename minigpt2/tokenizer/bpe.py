"""GPT-2's byte-level byte-pair encoding (Radford et al. 2019, §2.2; Sennrich et al. 2016, arXiv:1508.07909).

    text            "low lower"
    words           "low"    " lower"                    split by split.py, each with its blank
    bytes           l o w    ␣ l o w e r                 256 tokens, so nothing is unknown
    merges          lo w     ␣ lo w e r                  lowest rank first: rank 0 is (l, o), …
                    low      ␣ low e r
                             ␣low er
    ids             one for each piece that is left

A merge's rank is its place in the order in which training found it (train.py), the commonest pairs first.
Encoding replays the training: of all neighbouring pairs the one with the lowest rank merges, the leftmost if
several have it, until no pair is a merge.

A word's ids depend on the word alone, so they are remembered: text repeats its words (text_cache.py).
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise, repeat
from operator import add

from ..errors import ModelError
from ..ragged import FlatSentences
from .base import Tokenizer, list_of_texts
from .byte_alphabet import spell
from .lowercase import lower
from .split import split_words
from .text_cache import TextCache

# Up to this many pieces, looking at every pair for each merge is faster than a heap.
LONGEST_SCANNED_WORD = 96

Pair = tuple[int, int]
RankedMerge = tuple[int, int]  # how early a pair merges, and the id it merges into

NO_MERGE: RankedMerge = (sys.maxsize, -1)  # of a pair that is none: later than any


class BPETokenizer(Tokenizer):
    """A vocabulary of byte strings and the merges that build it.

    `vocabulary`: the bytes of every token that is not special, with its id; all 256 single bytes are there.
    `merges`: pairs of byte strings by rank. `special_tokens`: names with their ids; together with the
    vocabulary the ids are 0 … vocab_size-1. `lowercase`: lower-case the text first. `add_prefix_space`: put a
    blank before a text that does not start with one, so that its first word is spelled like any other.
    Raises ModelError if these do not fit together.
    """

    def __init__(
        self,
        vocabulary: Mapping[bytes, int],
        merges: Iterable[tuple[bytes, bytes]],
        special_tokens: Mapping[str, int],
        *,
        lowercase: bool = False,
        add_prefix_space: bool = False,
        eos_token: str | None = None,
        pad_token: str | None = None,
    ) -> None:
        self.lowercase = lowercase
        self.add_prefix_space = add_prefix_space
        self._bytes_of = _bytes_by_id(vocabulary, special_tokens)
        super().__init__(special_tokens, eos_token, pad_token)
        self.merges = list(merges)
        self.rank_of = _rank_merges(vocabulary, self.merges)
        self._id_of_byte = [vocabulary[bytes([b])] for b in range(256)]
        self._cache = TextCache(self)

    def words(self, text: str) -> list[str]:
        """The text as it is split before merging, after lower-casing and the prefix blank if they are set."""
        if self.lowercase:
            text = lower(text)
        if self.add_prefix_space and text and not text.startswith(" "):
            text = " " + text
        return split_words(text)

    def byte_ids(self, word: str) -> list[int]:
        """One id for each byte of a word: where merging starts."""
        return [self._id_of_byte[b] for b in word.encode("utf-8")]

    def encode_word(self, word: str) -> list[int]:
        """Ids of one word, past the cache."""
        ids = self.byte_ids(word)
        merge = merge_by_scan if len(ids) <= LONGEST_SCANNED_WORD else merge_by_heap
        return merge(ids, self.rank_of)

    def encode_flat(self, texts: Iterable[str], *, allow_special: bool = False) -> FlatSentences:
        """Ids of B texts as one run; see `Tokenizer.encode_flat`."""
        texts = list_of_texts(texts)
        special = self._special_pattern if allow_special and self.special_tokens else None

        def other_way(text: str) -> list[int]:
            return self.encode(text, allow_special=allow_special)

        return self._cache.encode_texts(texts, other_way, special)

    def encode_batch(self, texts: Iterable[str], *, allow_special: bool = False) -> list[list[int]]:
        """Ids of each of B texts."""
        flat = self.encode_flat(texts, allow_special=allow_special)
        ids = flat.ids.tolist()
        return [ids[start:stop] for start, stop in pairwise(flat.offsets.tolist())]

    def _encode_plain(self, text: str) -> list[int]:
        return self._cache.encode(text)


def merge_by_scan(ids: Sequence[int], rank_of: Mapping[Pair, RankedMerge]) -> list[int]:
    """Merge T ids until no pair is left, looking at all pairs before each merge: O(T²), the definition."""
    ids = list(ids)
    merges = list(map(rank_of.get, pairwise(ids), repeat(NO_MERGE)))  # (T-1,) of each piece with the next
    while merges and (best := min(merges)) is not NO_MERGE:
        at = merges.index(best)
        ids[at] = merged = best[1]
        del ids[at + 1], merges[at]
        if at > 0:
            merges[at - 1] = rank_of.get((ids[at - 1], merged), NO_MERGE)
        if at < len(merges):
            merges[at] = rank_of.get((merged, ids[at + 1]), NO_MERGE)
    return ids


def lowest_ranked_pair(
    ids: Sequence[int], rank_of: Mapping[Pair, RankedMerge]
) -> tuple[int, int | None, int]:
    """(position, rank, merged id) of the pair that merges next, leftmost of equals; rank None: no pair."""
    best: tuple[int, int | None, int] = (-1, None, -1)
    for at, pair in enumerate(pairwise(ids)):
        found = rank_of.get(pair)
        if found is not None and (best[1] is None or found[0] < best[1]):
            best = (at, *found)
    return best


def merge_by_heap(ids: Sequence[int], rank_of: Mapping[Pair, RankedMerge]) -> list[int]:
    """The same in O(T log T): candidates in a heap, pieces in a linked list.

    A candidate is out of date when one of its two pieces has merged with a neighbour since; it is skipped.
    """
    ids = list(ids)
    end = len(ids)
    following = list(range(1, end + 1))  # position of the piece after each
    previous = list(range(-1, end - 1))  # and before it
    heap = [(rank_of[pair][0], at, pair) for at, pair in enumerate(pairwise(ids)) if pair in rank_of]
    heapify(heap)
    while heap:
        _, at, pair = heappop(heap)
        after = following[at]
        if after >= end or (ids[at], ids[after]) != pair:
            continue
        ids[at] = rank_of[pair][1]
        ids[after] = -1  # this piece is part of the one before it now
        following[at] = following[after]
        if following[at] < end:
            previous[following[at]] = at
        for left in (previous[at], at):
            if left < 0 or following[left] >= end:
                continue
            pair = (ids[left], ids[following[left]])
            if pair in rank_of:
                heappush(heap, (rank_of[pair][0], left, pair))
    return [id for id in ids if id >= 0]


def _bytes_by_id(vocabulary: Mapping[bytes, int], special_tokens: Mapping[str, int]) -> list[bytes]:
    """The bytes of every id, in order. ModelError unless the ids are 0 … n-1, each once, with all bytes."""
    missing = [b for b in range(256) if bytes([b]) not in vocabulary]
    if missing:
        raise ModelError(
            f"tokenizer: the vocabulary lacks {len(missing)} of the 256 bytes, first 0x{missing[0]:02x}; "
            "text with them could not be encoded, so a byte-level vocabulary has them all"
        )
    tokens = [*vocabulary, *(name.encode("utf-8") for name in special_tokens)]
    ids = [*vocabulary.values(), *special_tokens.values()]
    bytes_of = dict(zip(ids, tokens, strict=True))
    if len(bytes_of) < len(ids):
        id, token = next(pair for at, pair in enumerate(zip(ids, tokens, strict=True)) if pair[0] in ids[:at])
        first = tokens[ids.index(id)]
        raise ModelError(f"tokenizer: id {id} is given to both {spell(first)!r} and {spell(token)!r}")
    gap = next((id for id in range(len(bytes_of)) if id not in bytes_of), None)
    if gap is not None:
        raise ModelError(
            f"tokenizer: {len(bytes_of)} tokens need the ids 0 to {len(bytes_of) - 1}, but {gap} is missing "
            f"(the highest is {max(bytes_of)})"
        )
    return [bytes_of[id] for id in range(len(bytes_of))]


def _rank_merges(
    vocabulary: Mapping[bytes, int], merges: list[tuple[bytes, bytes]]
) -> dict[Pair, RankedMerge]:
    """(left id, right id) -> (rank, merged id). ModelError for a merge whose parts or result have no id."""
    lefts, rights = [left for left, _ in merges], [right for _, right in merges]
    try:
        columns = [[vocabulary[token] for token in part] for part in (lefts, rights, map(add, lefts, rights))]
    except KeyError:
        raise _misfit(vocabulary, merges) from None
    left_ids, right_ids, merged_ids = columns
    return dict(zip(zip(left_ids, right_ids, strict=True), enumerate(merged_ids), strict=True))


def _misfit(vocabulary: Mapping[bytes, int], merges: list[tuple[bytes, bytes]]) -> ModelError:
    """What is wrong with the first merge that does not fit the vocabulary."""
    for rank, (left, right) in enumerate(merges):
        for role, token in (("left part", left), ("right part", right), ("result", left + right)):
            if token not in vocabulary:
                return ModelError(
                    f"tokenizer: merge {rank} ({spell(left)} {spell(right)}): its {role} {spell(token)!r} "
                    "is not in the vocabulary"
                )
    raise AssertionError("every merge fits")
