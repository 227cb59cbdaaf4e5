"""Texts as weighted counts of their words.

    weight of a word = 1 + log((1 + M) / (1 + n))       M texts, n of them hold the word (Spärck Jones 1972)
    row of a text    = count of each word in it · the word's weight, then the row has length 1

A rare word says much, a word that stands everywhere says little. `words` below cuts a text into its words.

    weights(texts)          -> {word: weight} over all words of the texts
    rows(texts, weight)     -> (M, V), columns in the alphabetical order of the words of `weight`; words that
                               it does not have are left out; a text without a known word is a row of zeros

The package: `minigpt2/evaluation/baselines.py`.
"""

import math
import re

import numpy as np


def words(text: str) -> list[str]:
    """Lower-case words, in order"""
    return re.findall(r"[a-z']+", text.lower())


def weights(texts: list[str]) -> dict[str, float]:
    """The weight of each word that the texts have"""
    raise NotImplementedError("your turn")


def rows(texts: list[str], weight: dict[str, float]) -> np.ndarray:
    """M texts -> (M, V), rows of length 1 or 0"""
    raise NotImplementedError("your turn")
