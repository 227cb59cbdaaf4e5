"""The package's nDCG, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.metrics import ndcg
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    scores = np.array([0.3, 0.9, 0.1, 0.7, 0.5, 0.2])
    relevance = np.array([2.0, 0.0, 3.0, 1.0, 2.0, 1.0])
    for k in (3, 10):
        found = relevance[np.argsort(-scores)][:k]
        ideal = np.sort(relevance)[::-1][:k]

        def dcg(gains, shift=2.0, log=np.log2):
            return (gains / log(np.arange(len(gains)) + shift)).sum()

        right = ndcg(scores, relevance, k)
        exponential = [2.0**g - 1.0 for g in (found, ideal)]
        lowest = relevance[np.argsort(scores)][:k]
        same_array(
            np.array(right),
            exercise.ndcg(scores, relevance, k),
            f"ndcg(scores, relevance, {k})",
            [
                (np.array(dcg(found)), "this is the DCG: divide by that of the best order"),
                (
                    np.array(dcg(found) / dcg(np.sort(found)[::-1])),
                    "the best order is that of ALL documents, not of the k that were found",
                ),
                (np.array(dcg(lowest) / dcg(ideal)), "the lowest scores come first: sort downwards"),
                (
                    np.array(dcg(exponential[0]) / dcg(exponential[1])),
                    "the gain is the relevance itself here, not 2^relevance − 1",
                ),
                (
                    np.array(dcg((found > 0).astype(float)) / dcg((ideal > 0).astype(float))),
                    "relevance is graded: 3 counts more than 1",
                ),
                (
                    np.array(dcg(found, 3.0) / dcg(ideal, 3.0)),
                    "place 1 is divided by log2(2) = 1: places from 1, log2(place + 1)",
                ),
                (
                    np.array(
                        (found / np.arange(1, len(found) + 1)).sum()
                        / (ideal / np.arange(1, len(ideal) + 1)).sum()
                    ),
                    "the discount is the logarithm of the place, not the place",
                ),
                (
                    np.array(dcg(found) / dcg(relevance[:k])),
                    "the best order is sorted by relevance, highest first: this one is that of the file",
                ),
                (
                    np.array(dcg(relevance[np.argsort(-scores)]) / dcg(np.sort(relevance)[::-1])),
                    "all places count here: only the first k",
                ),
                (lambda y: not np.isfinite(y), "log2(1) = 0: the first place is 1, and log2(1 + 1) = 1"),
            ],
        )
