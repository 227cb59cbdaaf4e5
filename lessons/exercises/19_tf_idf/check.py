"""The package's TF-IDF."""

import math
import re
from collections import Counter
from types import ModuleType

import numpy as np

from minigpt2.evaluation.baselines import tf_idf
from minigpt2.learn.checking import number, require, same_array

TEXTS = ["The cat saw the dog.", "The dog ran.", "A bird sang and sang and sang", "the cat sang"]
OTHERS = ["the unseen cat", "Sang, sang the bird", "nothing known"]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def check(exercise: ModuleType) -> None:
    M = len(TEXTS)
    holds = Counter(word for text in TEXTS for word in set(words(text)))
    times = Counter(word for text in TEXTS for word in words(text))
    names = sorted(holds)

    def by(counts, f):
        return np.array([f(counts[word]) for word in names])

    yours = exercise.weights(list(TEXTS))
    require(isinstance(yours, dict), f"weights gives a {type(yours).__name__}, expected is a dictionary")
    wrong = set(yours) ^ set(names)
    require(
        not wrong,
        f"the keys of weights should be every word of the texts, and no other: {sorted(map(str, wrong))}",
        "text.split() keeps capitals and full stops: `words` cuts a text into words"
        if any(str(word).strip(".,").lower() in names for word in wrong)
        else "",
    )
    mine = {word: 1.0 + math.log((1 + M) / (1 + holds[word])) for word in names}
    same_array(
        np.array([mine[word] for word in names]),
        np.array([number(yours[word], f"weights(texts)[{word!r}]") for word in names]),
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
    counted = np.array([[Counter(words(t))[w] for w in names] for t in OTHERS], dtype=float)
    weight = np.array([mine[w] for w in names])

    def unit(x):
        length = np.linalg.norm(x, axis=1, keepdims=True)
        return x / np.where(length > 0, length, 1.0)

    same_array(
        right,
        exercise.rows(list(OTHERS), {word: mine[word] for word in names[::-1]}),
        f"rows({OTHERS}, weights)",
        [
            (
                right[:, ::-1],
                "the columns are in the order of the dictionary: asked is the alphabet, sorted(weight)",
            ),
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
