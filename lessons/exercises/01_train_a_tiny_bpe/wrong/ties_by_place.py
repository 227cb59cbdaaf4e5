# expect: not the one that was counted first
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
    found = []
    for n in range(merges):
        counts = _count_pairs(words)
        if not counts:
            break
        pair = max(counts, key=counts.get)
        if counts[pair] < 2:
            break
        found.append((pair, 256 + n))
        words = {_merge(w, pair, 256 + n): t for w, t in words.items()}
    return found
