# expect: asked is the alphabet
import math
import re
from collections import Counter

import numpy as np


def words(t):
    return re.findall(r"[a-z']+", t.lower())


def weights(texts: list[str]) -> dict[str, float]:
    """The weight of each word that the texts have"""
    df = Counter(w for t in texts for w in set(words(t)))
    return {w: math.log((1 + len(texts)) / (1 + n)) + 1 for w, n in df.items()}


def rows(texts: list[str], weight: dict[str, float]) -> np.ndarray:
    """M texts -> (M, V), rows of length 1 or 0"""
    names = list(weight)
    x = np.array([[Counter(words(t))[w] * weight[w] for w in names] for t in texts])
    n = np.sqrt((x * x).sum(1, keepdims=True))
    n[n == 0] = 1
    return x / n
