"""Learning the merges of byte-pair encoding from text (Sennrich et al. 2016, arXiv:1508.07909, algorithm 1).

    repeat: find the commonest pair of neighbouring tokens, make it a token, replace it everywhere

Merges never cross a word (bpe.py), so the text is reduced to its different words with their counts. Counting
all pairs anew for each merge would cost a pass over all words; only the words that hold the pair are touched
here, and in them only the counts of the pairs next to it:

    … p l r n …   ->   … p m n …      (p,l) −1  (r,n) −1  (p,m) +1  (m,n) +1

The commonest pair comes from a heap. A count in the heap may be out of date, too high or too low: a pair
whose count rises is pushed again with the new count, one whose count fell is found out when it is popped.

A word is held as a str with one character for each token, chr(id). So a pair is a str of two characters, the
words are rewritten by str.split and str.join, leftmost first, and comparing two pairs compares their ids.

Ties. Of pairs with equal counts the one with the smaller left id is merged, then the one with the smaller
right id. Ids are: special tokens, the 256 bytes in the order of the characters that spell them, then merges
in the order found. This is the order of the `tokenizers` library's BpeTrainer, whose merges are the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from itertools import pairwise

from ..errors import DataError, UsageError
from .base import END_OF_TEXT, PAD, replace_lone_surrogates
from .bpe import BPETokenizer
from .byte import check_special_tokens
from .byte_alphabet import BYTE_OF_CHARACTER
from .lowercase import lower
from .split import split_words

# progress(stage, done, total): stage is "counting words" (texts so far, total None) or "merging" (merges).
Progress = Callable[[str, int, int | None], None]

TEXTS_A_REPORT = 10_000
MERGES_A_REPORT = 100


def train_bpe(
    texts: Iterable[str],
    vocab_size: int,
    *,
    lowercase: bool = False,
    special_tokens: Iterable[str] = (END_OF_TEXT, PAD),
    min_frequency: int = 2,
    progress: Progress | None = None,
) -> BPETokenizer:
    """A tokenizer of `vocab_size` ids, special tokens and the 256 bytes among them, learned from texts.

    `texts` is read once and not kept. `min_frequency`: a pair that occurs less often is not merged. Where the
    texts have no such pair left the vocabulary is smaller than asked for: see the result's vocab_size.
    Raises UsageError for a vocabulary too small to hold the bytes, DataError for texts that are not str.
    """
    names = check_special_tokens(special_tokens)
    first_merge = len(names) + 256
    if vocab_size < first_merge:
        raise UsageError(
            f"vocab_size {vocab_size} is too small: {len(names)} special tokens and 256 bytes make "
            f"{first_merge}"
        )
    if min_frequency < 1:
        raise UsageError(f"min_frequency must be at least 1, not {min_frequency}")
    bytes_of = [name.encode("utf-8") for name in names]
    bytes_of += [bytes([BYTE_OF_CHARACTER[character]]) for character in sorted(BYTE_OF_CHARACTER)]
    counts = count_words(texts, lowercase=lowercase, progress=progress)
    merges = _learn_merges(counts, bytes_of, len(names), vocab_size, min_frequency, progress)
    vocabulary = {token: id for id, token in enumerate(bytes_of) if id >= len(names)}
    special = {name: id for id, name in enumerate(names)}
    return BPETokenizer(vocabulary, merges, special, lowercase=lowercase)


def count_words(
    texts: Iterable[str], *, lowercase: bool = False, progress: Progress | None = None
) -> Counter[str]:
    """The different words of the texts, split as encoding splits them, and how often each occurs."""
    counts: Counter[str] = Counter()
    if isinstance(texts, str):
        raise DataError("training needs a list of texts, not one str")
    number = 0
    for number, text in enumerate(texts, 1):
        if not isinstance(text, str):
            raise DataError(f"training text {number} is no str but {type(text).__name__}")
        if not text.isascii():
            text = replace_lone_surrogates(text)
        counts.update(split_words(lower(text) if lowercase else text))
        if progress and number % TEXTS_A_REPORT == 0:
            progress("counting words", number, None)
    if progress:
        progress("counting words", number, number)
    return counts


def _learn_merges(
    counts: Counter[str],
    bytes_of: list[bytes],
    n_special: int,
    vocab_size: int,
    min_frequency: int,
    progress: Progress | None,
) -> list[tuple[bytes, bytes]]:
    """The merges in order; the bytes of each new token are appended to `bytes_of`."""
    id_of = {token: id for id, token in enumerate(bytes_of)}
    n_bytes = len(bytes_of)
    token_of_byte = {byte: chr(id_of[bytes([byte])]) for byte in range(256)}
    words = [word.encode("utf-8").decode("latin-1").translate(token_of_byte) for word in counts]
    count_of_word = list(counts.values())

    count_of: Counter[str] = Counter()  # pair -> how often it occurs in all words
    words_with: dict[str, list[int]] = {}  # pair -> words that hold it, or held it once
    for index, word in enumerate(words):
        for left, right in pairwise(word):
            pair = left + right
            count_of[pair] += count_of_word[index]
            words_with.setdefault(pair, []).append(index)
    heap = [(-count, pair) for pair, count in count_of.items()]
    heapify(heap)

    merges: dict[str, tuple[bytes, bytes]] = {}
    while heap and len(bytes_of) < vocab_size:
        negative_count, pair = heappop(heap)
        count = count_of.get(pair, 0)
        if count < min_frequency:
            continue
        if count != -negative_count:
            heappush(heap, (-count, pair))
            continue
        left, right = (bytes_of[ord(token)] for token in pair)
        id = id_of.setdefault(left + right, len(bytes_of))
        if id < n_special:  # the text spells a special token, which must stay unreachable from plain text
            del count_of[pair]
            continue
        if id == len(bytes_of):
            bytes_of.append(left + right)
        merges.setdefault(pair, (left, right))
        changed = _merge_everywhere(pair, chr(id), words, count_of_word, count_of, words_with)
        for risen in changed:
            if count_of[risen] > 0:
                heappush(heap, (-count_of[risen], risen))
        if progress and len(merges) % MERGES_A_REPORT == 0:
            progress("merging", len(bytes_of) - n_bytes, vocab_size - n_bytes)
    if progress:
        progress("merging", len(bytes_of) - n_bytes, vocab_size - n_bytes)
    return list(merges.values())


def _merge_everywhere(
    pair: str,
    merged: str,
    words: list[str],
    count_of_word: list[int],
    count_of: Counter[str],
    words_with: dict[str, list[int]],
) -> set[str]:
    """Replace a pair by its token in all words and keep the counts true; returns the pairs that rose."""
    first, second = pair
    risen: set[str] = set()
    for index in words_with.pop(pair):
        # What stands before, between and after the occurrences, so len(parts) - 1 of them.
        parts = words[index].split(pair)
        if len(parts) == 1:
            continue  # another merge took this word's occurrence away
        count = count_of_word[index]
        for at in range(1, len(parts)):
            before, after = parts[at - 1], parts[at]
            if before:
                gone, new = before[-1] + first, before[-1] + merged
            elif at > 1:  # two occurrences side by side
                gone, new = second + first, merged + merged
            else:
                gone = new = ""
            if new:
                count_of[gone] -= count
                count_of[new] += count
                risen.add(new)
                words_with.setdefault(new, []).append(index)
            if after:
                gone, new = second + after[0], merged + after[0]
                count_of[gone] -= count
                count_of[new] += count
                risen.add(new)
                words_with.setdefault(new, []).append(index)
        words[index] = merged.join(parts)
    del count_of[pair]
    return risen
