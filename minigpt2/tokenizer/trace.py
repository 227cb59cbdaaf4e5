"""Every merge of a text, one by one, to see how byte-pair encoding arrives at its tokens.

for word in trace_merges(tokenizer, "low lower"):
    print(word.text, word.pieces)
    for step in word.steps:
        print(step.rank, step.left, "+", step.right, "->", step.pieces)

low      (b"l", b"o", b"w")
0 b"l" + b"o" -> (b"lo", b"w")
1 b"lo" + b"w" -> (b"low",)
 lower   (b" ", b"l", b"o", b"w", b"e", b"r")
0 b"l" + b"o" -> (b" ", b"lo", b"w", b"e", b"r")
…
"""

from typing import NamedTuple

from .base import Tokenizer, replace_lone_surrogates
from .bpe import BPETokenizer, lowest_ranked_pair


class MergeStep(NamedTuple):
    """One merge: `left` and `right`, at `position` of the pieces before it, become `token`."""

    position: int  # of `left` among the pieces before the merge, from 0
    left: bytes
    right: bytes
    rank: int  # the lowest of all neighbouring pairs, which is why this pair merges now
    token: int  # id of left + right
    pieces: tuple[bytes, ...]  # after the merge
    ids: tuple[int, ...]  # of these pieces


class WordTrace(NamedTuple):
    """One word of the text from its bytes to its tokens."""

    text: str
    pieces: tuple[bytes, ...]  # before any merge: single bytes
    steps: tuple[MergeStep, ...]
    ids: tuple[int, ...]  # what encode gives for this word
    tokens: tuple[bytes, ...]  # the bytes of these ids


def trace_merges(tokenizer: Tokenizer, text: str) -> list[WordTrace]:
    """The words of a text and the merges in each; a tokenizer that merges nothing has one word, no steps."""
    text = replace_lone_surrogates(text)
    if not isinstance(tokenizer, BPETokenizer):
        ids = tokenizer.encode(text)
        pieces = tuple(map(tokenizer.token_bytes, ids))
        return [WordTrace(text, pieces, (), tuple(ids), pieces)] if text else []
    return [_trace_word(tokenizer, word) for word in tokenizer.words(text)]


def _trace_word(tokenizer: BPETokenizer, word: str) -> WordTrace:
    def bytes_of(ids: list[int]) -> tuple[bytes, ...]:
        return tuple(map(tokenizer.token_bytes, ids))

    ids = tokenizer.byte_ids(word)
    start = bytes_of(ids)
    steps: list[MergeStep] = []
    while True:
        at, rank, token = lowest_ranked_pair(ids, tokenizer.rank_of)
        if rank is None:
            return WordTrace(word, start, tuple(steps), tuple(ids), bytes_of(ids))
        left, right = bytes_of(ids[at : at + 2])
        ids[at : at + 2] = [token]
        steps.append(MergeStep(at, left, right, rank, token, bytes_of(ids), tuple(ids)))
