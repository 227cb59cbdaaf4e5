"""The fast way from texts to ids: what stands between two blanks is encoded once and looked up ever after.

    texts     "it's low"   " low"
    joined    "␀it's low ␀ low"                  ␀ (MARK, the character 0) shows where a text begins
    parts     "␀it's"  "low"  "␀"  "low"         cut at every blank
    run       START it 's  ␣low  START  ␣low     one look-up a part; 4 bytes an id
    ids       the run without START; from one START to the next is one text

Why the parts can be encoded apart. A word (split.py) holds a blank only as its first character, or in a run
of white space, and such a run leaves its last blank to the word after it. So a word begins at every blank
before something other than white space, and what stands before that blank has no say in what follows.

A text with any other blank (two in a row, one at its end, one before a newline) has a part that is empty or
begins with white space, and the entry of such a part is BROKEN. A text that shows it is cut into words by the
pattern instead; their ids are remembered as well. The same happens to a text that holds MARK itself or a lone
surrogate. How many parts and words are remembered has a bound: English text of any size repeats most of them.
"""

from array import array
from collections.abc import Callable
from re import Pattern
from typing import Protocol

import numpy as np

from ..ragged import FlatSentences

MARK = "\0"
START, BROKEN = -1, -2  # no ids, which start at 0
START_BYTES = array("i", [START]).tobytes()
BROKEN_BYTES = array("i", [BROKEN]).tobytes()

# Bounds of a memory: some 15 MB of English in both, 90 MB of Chinese. The longest English words are shorter
# than 40 characters; what is longer rarely comes twice.
REMEMBERED = 1 << 16
LONGEST_REMEMBERED = 64

# Texts that are joined at a time: their parts stay in the processor's cache.
TEXTS_AT_A_TIME = 256


class WordEncoder(Protocol):
    """What is made faster here."""

    lowercase: bool

    def words(self, text: str) -> list[str]:
        """The text as it is split before merging."""

    def encode_word(self, word: str) -> list[int]:
        """Ids of one word; UnicodeEncodeError for a lone surrogate."""


class Memory(dict[str, bytes]):
    """piece of text -> its ids, packed; computed when first asked for; emptied when full."""

    def __init__(self, encode: Callable[[str], bytes]) -> None:
        self.encode = encode

    def __missing__(self, piece: str) -> bytes:
        packed = self.encode(piece)
        if len(piece) <= LONGEST_REMEMBERED:
            if len(self) >= REMEMBERED:
                self.clear()
            self[piece] = packed
        return packed

    def __reduce__(self) -> tuple[type["Memory"], tuple[Callable[[str], bytes]]]:
        """A copy in another process starts empty."""
        return Memory, (self.encode,)


class TextCache:
    """Ids of texts by way of what is remembered of their parts."""

    def __init__(self, encoder: WordEncoder) -> None:
        self.encoder = encoder
        self.parts = Memory(self._encode_part)
        self.words = Memory(self._encode_word)

    def encode(self, text: str) -> list[int]:
        """Ids of one text. UnicodeEncodeError for a lone surrogate."""
        lowered = text.lower() if self.encoder.lowercase and text.isascii() else text
        packed = b"".join(map(self.parts.__getitem__, (MARK + lowered).split(" ")))
        if BROKEN_BYTES in packed or MARK in text:
            return self.encode_by_words(text)
        return memoryview(packed)[len(START_BYTES) :].cast("i").tolist()

    def encode_by_words(self, text: str) -> list[int]:
        """The same by the pattern, whatever blanks the text has."""
        packed = b"".join(map(self.words.__getitem__, self.encoder.words(text)))
        return memoryview(packed).cast("i").tolist()

    def encode_texts(
        self, texts: list[str], other_way: Callable[[str], list[int]], special: Pattern[str] | None
    ) -> FlatSentences:
        """Ids of B texts. TypeError for one that is no str.

        `other_way` encodes a text that cannot be encoded by its parts; such is also one that holds `special`.
        """
        packed = [
            self._encode_joined(texts[first : first + TEXTS_AT_A_TIME], special)
            for first in range(0, len(texts), TEXTS_AT_A_TIME)
        ]
        run = np.frombuffer(b"".join(packed), np.intc)  # (B+N,)
        starts = np.flatnonzero(run == START)  # (B,)
        broken = np.flatnonzero(run == BROKEN)
        if len(broken):
            which = {*(np.searchsorted(starts, broken, side="right") - 1).tolist()}
            run = _replaced(run, starts, {b: other_way(texts[b]) for b in sorted(which)})  # (B+N,)
            starts = np.flatnonzero(run == START)  # (B,)
        lengths = np.diff(starts, append=len(run)) - 1  # (B,)
        return FlatSentences(run[run != START], lengths)

    def _encode_joined(self, texts: list[str], special: Pattern[str] | None) -> bytes:
        joined = MARK + (" " + MARK).join(texts)
        if joined.count(MARK) > len(texts) or (special and special.search(joined)):
            # Two blanks in place of such a text are encoded as BROKEN.
            texts = ["  " if MARK in text or (special and special.search(text)) else text for text in texts]
            joined = MARK + (" " + MARK).join(texts)
        if self.encoder.lowercase and joined.isascii():
            joined = joined.lower()  # so that fewer different parts are remembered
        return b"".join(map(self.parts.__getitem__, joined.split(" ")))

    def _encode_part(self, part: str) -> bytes:
        """The packed ids of a part with the blank before it, or with START if it begins a text."""
        if part.startswith(MARK):
            head, part = START_BYTES, part[1:]
        elif not part or part[0].isspace():
            return BROKEN_BYTES
        else:
            head, part = b"", " " + part
        try:
            return head + b"".join(map(self.words.__getitem__, self.encoder.words(part)))
        except UnicodeEncodeError:
            return head + BROKEN_BYTES

    def _encode_word(self, word: str) -> bytes:
        return array("i", self.encoder.encode_word(word)).tobytes()


def _replaced(run: np.ndarray, starts: np.ndarray, ids_of: dict[int, list[int]]) -> np.ndarray:
    """The run (B+N,) with some of its texts given anew, by their number in rising order."""
    stops = np.append(starts[1:], len(run))  # (B,)
    pieces, done = [], 0
    for b, ids in ids_of.items():
        pieces += [run[done : starts[b]], np.array([START, *ids], run.dtype)]
        done = stops[b]
    return np.concatenate([*pieces, run[done:]])
