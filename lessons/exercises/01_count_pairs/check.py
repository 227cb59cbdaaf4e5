"""Pairs counted by a plain double loop."""

from collections import Counter
from types import ModuleType

from minigpt2.learn.checking import same_value

WORDS = {(108, 111, 119): 5, (108, 111, 119, 101, 114): 2, (7,): 9, (5, 5, 5): 3, (2, 1, 2, 1): 1}


def check(exercise: ModuleType) -> None:
    right, once, unweighted, apart, unordered = (Counter() for _ in range(5))
    row = [token for word, times in WORDS.items() for token in word * times]
    across = Counter(zip(row, row[1:], strict=False))
    for word, times in WORDS.items():
        pairs = [(word[i], word[i + 1]) for i in range(len(word) - 1)]
        for pair in pairs:
            right[pair] += times
            unweighted[pair] += 1
            unordered[min(pair), max(pair)] += times
        for pair in set(pairs):
            once[pair] += times
        for pair in pairs[::2]:
            apart[pair] += times
    same_value(
        dict(right),
        exercise.count_pairs(WORDS),
        "count_pairs(words)",
        [
            (dict(unweighted), "a pair counts as often as its word occurs: add the word's count, not 1"),
            (dict(once), "(5, 5) stands twice in (5, 5, 5): count every place, not every word"),
            (dict(apart), "pairs overlap: step through the word by 1, not by 2"),
            (dict(unordered), "a pair has an order: (1, 2) and (2, 1) are counted apart"),
            (dict(across), "the last token of a word and the first of the next are no pair"),
            (
                lambda yours: any(len(pair) < 2 for pair in yours),
                "the last token of a word has no neighbour on its right: it begins no pair",
            ),
        ],
    )
    counts = {(9, 4): 7, (3, 8): 7, (3, 5): 7, (1, 1): 2, (2, 9): 6}
    for order in (list(counts), list(counts)[::-1]):
        given = {pair: counts[pair] for pair in order}
        same_value(
            (3, 5),
            exercise.commonest(given),
            f"commonest({given})",
            [
                ((9, 4), "7 is the largest count, but three pairs have it: the smallest of them wins"),
                ((3, 8), "the first token is settled; of (3, 8) and (3, 5) the smaller second one wins"),
                ((1, 1), "this is the smallest pair, or the rarest: the count decides first"),
            ],
        )
