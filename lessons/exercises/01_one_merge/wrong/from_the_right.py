# expect: of three in a row the FIRST two join


Pair = tuple[int, int]


def merge(ids: list[int], pair: Pair, new: int) -> list[int]:
    """`ids` with every `pair`, from left to right, replaced by `new`."""
    out = list(ids)
    i = len(out) - 2
    while i >= 0:
        if tuple(out[i : i + 2]) == pair:
            out[i : i + 2] = [new]
            i -= 1
        i -= 1
    return out


def encode(ids: list[int], merges: list[tuple[Pair, int]]) -> list[int]:
    """All merges, one after the other."""
    for p, n in merges:
        ids = merge(ids, p, n)
    return ids
