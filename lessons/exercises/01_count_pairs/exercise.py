"""Count the pairs of neighbouring tokens in words, and find the commonest.

Training a tokenizer looks at a text's different words, each with how often it occurs:

    words = {(108, 111, 119): 5, (108, 111, 119, 101, 114): 2}          "low" 5 times, "lower" twice

    count_pairs(words)  -> {(108, 111): 7, (111, 119): 7, (119, 101): 2, (101, 114): 2}
    commonest(counts)   -> (108, 111)

A pair counts as often as its word occurs, and again for each place in the word: (5, 5) stands twice in (5,
5, 5). Of pairs with equal counts the commonest is the one with the smaller first token, then the smaller
second: training must not depend on the order of a dictionary. The package: `minigpt2/tokenizer/train.py`.
"""

Word = tuple[int, ...]
Pair = tuple[int, int]


def count_pairs(words: dict[Word, int]) -> dict[Pair, int]:
    """How often each pair of neighbours occurs."""
    raise NotImplementedError("your turn")


def commonest(counts: dict[Pair, int]) -> Pair:
    """The pair with the largest count; of equals the smallest pair."""
    raise NotImplementedError("your turn")
