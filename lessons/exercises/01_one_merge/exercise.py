"""Replace every occurrence of a pair by a new token.

    merge([1, 2, 3, 1, 2], (1, 2), 9)  -> [9, 3, 9]
    merge([5, 5, 5], (5, 5), 9)        -> [9, 5]            from left to right, no token used twice
    merge([5, 5, 5, 5], (5, 5), 9)     -> [9, 9]

The new token takes part in the next merge, never in this one. The input list stays as it is. With it,
encode a word by given merges in their order:

    encode([108, 111, 119], [((108, 111), 256), ((256, 119), 257)])  -> [257]

The package: `minigpt2/tokenizer/bpe.py`, `merge_by_scan`.
"""

Pair = tuple[int, int]


def merge(ids: list[int], pair: Pair, new: int) -> list[int]:
    """`ids` with every `pair`, from left to right, replaced by `new`."""
    raise NotImplementedError("your turn")


def encode(ids: list[int], merges: list[tuple[Pair, int]]) -> list[int]:
    """All merges, one after the other."""
    raise NotImplementedError("your turn")
