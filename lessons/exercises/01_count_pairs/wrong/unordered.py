# expect: a pair has an order


Word = tuple[int, ...]
Pair = tuple[int, int]


def count_pairs(words: dict[Word, int]) -> dict[Pair, int]:
    """How often each pair of neighbours occurs."""
    counts = {}
    for word, times in words.items():
        for pair in zip(word, word[1:], strict=False):
            pair = tuple(sorted(pair))
            counts[pair] = counts.get(pair, 0) + times
    return counts


def commonest(counts: dict[Pair, int]) -> Pair:
    """The pair with the largest count; of equals the smallest pair."""
    return min(counts, key=lambda pair: (-counts[pair], pair))
