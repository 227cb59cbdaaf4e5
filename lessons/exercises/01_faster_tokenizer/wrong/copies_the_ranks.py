# expect: a faster dictionary is not the point


Pair = tuple[int, int]
Ranks = dict[Pair, tuple[int, int]]  # pair -> its rank, and the id it merges into


def encode_words(words: list[str], ranks: Ranks) -> list[list[int]]:
    """The tokens of each word."""
    rank = {p: r for p, (r, _) in ranks.items()}
    merged = {p: m for p, (_, m) in ranks.items()}
    return [_e(w, rank, merged) for w in words]


def _e(word, rank, merged):
    ids = list(word.encode())
    while True:
        c = [(rank[p], i, merged[p]) for i, p in enumerate(zip(ids, ids[1:], strict=False)) if p in rank]
        if not c:
            return ids
        _, i, m = min(c)
        ids[i : i + 2] = [m]
