# expect: after a match step on by 2
Pair = tuple[int, int]


def merge(ids: list[int], pair: Pair, new: int) -> list[int]:
    """`ids` with every `pair`, from left to right, replaced by `new`."""
    merged = []
    for i, id in enumerate(ids):
        if tuple(ids[i : i + 2]) == pair:
            merged.append(new)
        elif i == 0 or tuple(ids[i - 1 : i + 1]) != pair:
            merged.append(id)
    return merged


def encode(ids: list[int], merges: list[tuple[Pair, int]]) -> list[int]:
    """All merges, one after the other."""
    for pair, new in merges:
        ids = merge(ids, pair, new)
    return ids
