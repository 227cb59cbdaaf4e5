# expect: the last token is lost
Pair = tuple[int, int]


def merge(ids: list[int], pair: Pair, new: int) -> list[int]:
    """`ids` with every `pair`, from left to right, replaced by `new`."""
    merged, i = [], 0
    while i + 1 < len(ids):
        if (ids[i], ids[i + 1]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def encode(ids: list[int], merges: list[tuple[Pair, int]]) -> list[int]:
    """All merges, one after the other."""
    for pair, new in merges:
        ids = merge(ids, pair, new)
    return ids
