# expect: hand out a copy
Pair = tuple[int, int]
Ranks = dict[Pair, tuple[int, int]]  # pair -> its rank, and the id it merges into


def encode_words(words: list[str], ranks: Ranks) -> list[list[int]]:
    """The tokens of each word."""
    known: dict[str, list[int]] = {}
    for word in words:
        if word not in known:
            known[word] = _encode_word(word, ranks)
    return [known[word] for word in words]


def _encode_word(word: str, ranks: Ranks) -> list[int]:
    ids = list(word.encode("utf-8"))
    while True:
        best, place, merged = None, -1, -1
        for i in range(len(ids) - 1):
            found = ranks.get((ids[i], ids[i + 1]))
            if found is not None and (best is None or found[0] < best):
                (best, merged), place = found, i
        if best is None:
            return ids
        ids[place : place + 2] = [merged]
