"""A plain simulation, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array, same_value


def cut(order, lengths, cost):
    groups, done = [], 0
    for text in order:
        if not groups or cost([*groups[-1], text]):
            groups.append([])
        groups[-1].append(text)
    return groups


def check(exercise: ModuleType) -> None:
    for lengths, most in (
        ([5, 2, 9, 2, 3, 4, 30, 1], 10),
        ([3, 3, 3, 3], 6),
        ([6, 5, 7], 10),
        ([7], 3),
        ([], 5),
    ):
        order = sorted(range(len(lengths)), key=lambda t: (lengths[t], t))

        def total(group):
            return sum(lengths[t] for t in group)

        right = cut(order, lengths, lambda g: total(g) > most)
        same_value(
            right,
            exercise.batches(list(lengths), most),
            f"batches({lengths}, {most})",
            [
                (
                    cut(range(len(lengths)), lengths, lambda g: total(g) > most),
                    "the texts are not sorted by length",
                ),
                (cut(order, lengths, lambda g: total(g) >= most), "exactly `most` tokens still fit"),
                (
                    cut(order, lengths, lambda g: len(g) * max(lengths[t] for t in g) > most),
                    "this counts padding: the tokens of a packed batch are the sum of the lengths",
                ),
                (
                    cut(order, lengths, lambda g: total(g[:-1]) > most),
                    "a batch is closed too late: ask BEFORE the text is added",
                ),
                (cut(order[::-1], lengths, lambda g: total(g) > most), "the shortest texts come first"),
                (
                    cut(sorted(order, key=lambda t: (lengths[t], -t)), lengths, lambda g: total(g) > most),
                    "of equal length the lower number comes first",
                ),
                (right[:-1], "the last batch is lost: it is not closed by a text that comes after it"),
                (
                    lambda yours: [] in yours,
                    "there is an empty batch: a text longer than `most` begins one only if there is "
                    "something before it",
                ),
                (lambda yours: sum(map(len, yours)) < len(lengths), "texts are lost"),
                (cut(order, lengths, lambda g: len(g) > most), "`most` counts tokens, not texts"),
            ],
        )
    groups = [[3, 0], [2], [4, 1]]
    vectors = np.random.default_rng(53).standard_normal((5, 3))
    parts = [vectors[group] for group in groups]
    stacked = np.concatenate(parts)
    flat = np.array([t for group in groups for t in group])
    same_array(
        vectors,
        exercise.in_order(parts, groups),
        "in_order(parts, [[3, 0], [2], [4, 1]])",
        [
            (stacked, "the rows are in the order of the batches: row t should belong to text t"),
            (stacked[flat], "the order is applied once more instead of undone: rows[group] = part"),
        ],
    )
