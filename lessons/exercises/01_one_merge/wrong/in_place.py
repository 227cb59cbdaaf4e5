# expect: changes its input ids
Pair = tuple[int, int]


def merge(ids: list[int], pair: Pair, new: int) -> list[int]:
    """`ids` with every `pair`, from left to right, replaced by `new`."""
    i = 0
    while i + 1 < len(ids):
        if (ids[i], ids[i + 1]) == pair:
            ids[i : i + 2] = [new]
        i += 1
    return ids


def encode(ids: list[int], merges: list[tuple[Pair, int]]) -> list[int]:
    """All merges, one after the other."""
    for pair, new in merges:
        ids = merge(ids, pair, new)
    return ids
