"""A double loop over places, the formula, and Gram matrices, which do not see signs."""

import warnings
from types import ModuleType

import numpy as np

from minigpt2.learn.checking import array, require, same_array

TEXTS = [[0, 1, 2, 1, 3], [3, 3, 0], [4], [2, 1, 0, 4]]
V = 6  # word 5 never comes


def check(exercise: ModuleType) -> None:
    for window in (1, 2):
        C, joined = counted(TEXTS, window), counted([[i for text in TEXTS for i in text]], window)
        one_way = np.zeros((V, V))
        for text in TEXTS:
            for d in range(1, window + 1):
                np.add.at(one_way, (text[: len(text) - d], text[d:]), 1) if len(text) > d else None
        only_far = C - counted(TEXTS, window - 1)
        same_array(
            C,
            exercise.counts([list(t) for t in TEXTS], V, window),
            f"counts(texts, 6, {window})",
            [
                (one_way, "neighbours count on both sides: C is symmetric"),
                (joined, "words of different texts are no neighbours"),
                (only_far, "WITHIN the window: all distances from 1 to `window`"),
                (counted(TEXTS, window + 1), "the window reaches one place too far"),
                (counted(TEXTS, window - 1), "the window reaches one place too short"),
                (
                    C + np.diag([2 * sum(t.count(v) for t in TEXTS) for v in range(V)]),
                    "a word is no neighbour of itself at distance 0",
                ),
                (
                    C + np.diag([sum(t.count(v) for t in TEXTS) for v in range(V)]),
                    "a word is no neighbour of itself at distance 0",
                ),
            ],
        )
    C = counted(TEXTS, 2)
    sums, total = C.sum(axis=1), C.sum()
    with np.errstate(all="ignore"):
        raw = np.log(C * total / np.outer(sums, sums))
        plain = np.log(C / np.outer(sums, sums))
    right = np.where(C > 0, np.maximum(0.0, raw), 0.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yours = exercise.ppmi(C)
    same_array(
        right,
        yours,
        "ppmi(C)",
        [
            (np.where(C > 0, raw, 0.0), "negative values are to become 0: max(0, …)"),
            (
                np.where(C > 0, np.maximum(0, plain), 0.0),
                "the total is missing: C · total / (row sum · row sum)",
            ),
            (lambda y: np.isnan(y).any(), "0/0 of a word that never comes: compute only where C > 0"),
            (lambda y: np.isinf(y).any(), "log(0): compute only where C > 0"),
            (
                np.where(
                    C > 0,
                    np.maximum(
                        0, np.log2(np.maximum(C, 1e-9) * total / np.maximum(np.outer(sums, sums), 1e-9))
                    ),
                    0.0,
                ),
                "the natural logarithm is meant",
            ),
        ],
    )
    require(
        not caught,
        f"ppmi(C) is right, but NumPy warns: {caught[0].message if caught else ''}",
        "the logarithm is taken of zeros, too, and thrown away: compute only where C > 0",
    )
    U, S, _ = np.linalg.svd(right)
    D = 3
    best = (U[:, :D] * S[:D]) @ U[:, :D].T
    mine = array(exercise.vectors(right, D), "vectors(P, 3)", (V, D))
    same_array(
        best,
        mine @ mine.T,
        "the dot products of all vectors, vectors @ vectors.T",
        [
            (U[:, :D] @ U[:, :D].T, "the columns are not scaled: times sqrt(S)"),
            (
                (U[:, :D] * S[:D] ** 2) @ U[:, :D].T,
                "the columns are scaled by S: by sqrt(S), so that the dot products give PPMI back",
            ),
            (
                (U[:, -D:] * S[-D:]) @ U[:, -D:].T,
                "these are the weakest directions: the strongest come first",
            ),
            ((U[:D].T * 1.0) @ U[:D], "U's first D COLUMNS, U[:, :D]"),
        ],
    )


def counted(texts, window):
    C = np.zeros((V, V))
    for text in texts:
        for i, a in enumerate(text):
            for j, b in enumerate(text):
                if i != j and abs(i - j) <= window:
                    C[a, b] += 1
    return C
