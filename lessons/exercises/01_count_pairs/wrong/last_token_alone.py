# expect: it begins no pair
Word = tuple[int, ...]
Pair = tuple[int, int]


def count_pairs(words: dict[Word, int]) -> dict[Pair, int]:
    counts = {}
    for word, n in words.items():
        for i in range(len(word)):
            pair = word[i : i + 2]
            counts[pair] = counts.get(pair, 0) + n
    return counts


def commonest(counts: dict[Pair, int]) -> Pair:
    return max(counts, key=counts.get)
