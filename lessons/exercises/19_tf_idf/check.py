"""The package's TF-IDF."""

import math
from collections import Counter
from types import ModuleType

import numpy as np

from minigpt2.evaluation.baselines import tf_idf
from minigpt2.learn.checking import require, same_array

TEXTS = ["the cat saw the dog", "the dog ran", "a bird sang and sang and sang", "the cat sang"]
OTHERS = ["the unseen cat", "sang sang the bird", "nothing known"]


def check(exercise: ModuleType) -> None:
    M = len(TEXTS)
    holds = Counter(word for text in TEXTS for word in set(text.split()))
    times = Counter(word for text in TEXTS for word in text.split())
    names = sorted(holds)

    def by(counts, f):
        return np.array([f(counts[word]) for word in names])

    yours = exercise.weights(list(TEXTS))
    require(
        isinstance(yours, dict) and sorted(yours) == names,
        "weights needs every word of the texts as a key, and no other",
    )
    mine = {word: 1.0 + math.log((1 + M) / (1 + holds[word])) for word in names}
    same_array(
        np.array([mine[word] for word in names]),
        np.array([float(yours[word]) for word in names]),
        f"the weights of {names}",
        [
            (
                by(times, lambda n: 1 + math.log((1 + M) / (1 + n))),
                "n counts TEXTS that hold the word: 'the' twice in one text is one text",
            ),
            (by(holds, lambda n: math.log((1 + M) / (1 + n))), "the 1 in front is missing"),
            (by(holds, lambda n: 1 + math.log(M / n)), "both counts have 1 added: (1 + M) / (1 + n)"),
            (by(holds, lambda n: 1 + math.log2((1 + M) / (1 + n))), "the natural logarithm is meant"),
            (
                by(holds, lambda n: 1 + math.log((1 + n) / (1 + M))),
                "the quotient is turned round: rare words weigh more",
            ),
            (by(holds, lambda n: float(n)), "these are the counts"),
        ],
    )
    right = tf_idf(TEXTS).rows(OTHERS, "").toarray()
    counted = np.array([[Counter(t.split())[w] for w in names] for t in OTHERS], dtype=float)
    weight = np.array([mine[w] for w in names])

    def unit(x):
        length = np.linalg.norm(x, axis=1, keepdims=True)
        return x / np.where(length > 0, length, 1.0)

    same_array(
        right,
        exercise.rows(list(OTHERS), dict(mine)),
        f"rows({OTHERS}, weights)",
        [
            (counted * weight, "each row is to have length 1"),
            (unit((counted > 0) * weight), "a word that stands twice counts twice"),
            (unit(counted), "the weights of the words are missing"),
            (lambda y: np.isnan(y).any(), "0/0: a text without a known word is a row of zeros"),
            (
                counted * weight / np.maximum(1, (counted * weight).sum(axis=1, keepdims=True)),
                "length 1 means Σ of squares 1, not Σ 1",
            ),
        ],
    )
