# expect: a pair that occurs once is no pattern
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
    found = []
    while len(found) < merges:
        counts = _count_pairs(words)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        new = 256 + len(found)
        words = {_merge(word, best, new): times for word, times in words.items()}
        found.append((best, new))
    return found
