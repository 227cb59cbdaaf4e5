"""Learn the merges of byte-pair encoding from words and their counts.

    repeat: find the commonest pair of neighbours, give it a new id, replace it in every word

Counting and merging are written below; the loop is yours. It ends after `merges` merges, or when the
commonest pair occurs less than twice. New ids go up from 256. What comes back is a list of (pair, new id),
in order:

    train({(108, 111, 119): 5, (108, 111, 119, 101, 114): 2}, 2)
        -> [((108, 111), 256), ((256, 119), 257)]

The dictionary that is handed in stays as it is. Sennrich et al. 2016, arXiv:1508.07909, algorithm 1.
The package: `minigpt2/tokenizer/train.py`, which does the same and recounts only what a merge has changed.
"""

Word = tuple[int, ...]
Pair = tuple[int, int]


def _count_pairs(words: dict[Word, int]) -> dict[Pair, int]:
    counts: dict[Pair, int] = {}
    for word, times in words.items():
        for pair in zip(word, word[1:], strict=False):
            counts[pair] = counts.get(pair, 0) + times
    return counts


def _merge(word: Word, pair: Pair, new: int) -> Word:
    merged, i = [], 0
    while i < len(word):
        if word[i : i + 2] == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return tuple(merged)


def train(words: dict[Word, int], merges: int) -> list[tuple[Pair, int]]:
    """At most so many merges, in the order in which they are found; of equal counts the smallest pair."""
    raise NotImplementedError("your turn")
