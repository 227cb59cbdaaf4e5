"""Merging by string replacement, which works from left to right and never overlaps."""

from types import ModuleType

from minigpt2.learn.checking import same_value

CASES = [[1, 2, 3, 1, 2], [5, 5, 5], [5, 5, 5, 5], [1, 1, 2], [2, 1], [1], [], [1, 2, 2, 1, 2, 1]]


def check(exercise: ModuleType) -> None:
    for ids in CASES:
        pair = (5, 5) if 5 in ids else (1, 2)
        yours = exercise.merge(list(ids), pair, 9)
        same_value(
            replaced(ids, pair, 9),
            yours,
            f"merge({ids}, {pair}, 9)",
            [
                (overlapping(ids, pair, 9), "one token is used by two pairs: after a match step on by 2"),
                (
                    replaced(ids, pair, 9)[:-1],
                    "the last token is lost: a pair can begin at most at the one before it",
                ),
                (
                    replaced(ids[::-1], pair[::-1], 9)[::-1],
                    "the merging goes from the right: of three in a row the FIRST two join",
                ),
                (
                    lambda yours: yours == ids,
                    "nothing is replaced; is (ids[i], ids[i + 1]) compared as a tuple?",
                ),
            ],
        )
    merges = [((108, 111), 256), ((256, 119), 257), ((101, 114), 258), ((257, 258), 259)]
    word = [108, 111, 119, 101, 114]
    same_value(
        [259],
        exercise.encode(list(word), merges),
        f"encode({word}, merges)",
        [
            ([256, 119, 258], "each merge goes on with what the merges before it have made: keep the result"),
            (word, "the result of merge is thrown away: it returns a new list"),
        ],
    )
    same_value(
        [257, 102], exercise.encode([108, 111, 119, 102], merges), "encode([108, 111, 119, 102], merges)"
    )


def replaced(ids, pair, new):
    text = "".join(chr(i) for i in ids)
    return [ord(c) for c in text.replace(chr(pair[0]) + chr(pair[1]), chr(new))]


def overlapping(ids, pair, new):
    out = []
    for i, id in enumerate(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new)
        elif not (i and tuple(ids[i - 1 : i + 1]) == pair):
            out.append(id)
    return out
