# expect: each row is to have length 1
import math
import re

import numpy as np


def words(text: str) -> list[str]:
    """Lower-case words, in order"""
    return re.findall(r"[a-z']+", text.lower())


def weights(texts: list[str]) -> dict[str, float]:
    """The weight of each word that the texts have"""
    found: dict[str, int] = {}
    for text in texts:
        for word in set(words(text)):
            found[word] = found.get(word, 0) + 1
    return {word: 1.0 + math.log((1 + len(texts)) / (1 + n)) for word, n in found.items()}


def rows(texts: list[str], weight: dict[str, float]) -> np.ndarray:
    """M texts -> (M, V), rows of length 1 or 0"""
    column = {word: i for i, word in enumerate(sorted(weight))}
    x = np.zeros((len(texts), len(column)))  # (M, V)
    for row, text in zip(x, texts, strict=True):
        for word in words(text):
            if word in column:
                row[column[word]] += weight[word]
    norms = np.linalg.norm(x, axis=1, keepdims=True)  # (M, 1)
    return x
