"""How many words two texts have in common: the baseline that needs no model.

    Jaccard(A, B) = |A ∩ B| / |A ∪ B|

over the sets of words or of pairs of neighbouring words. Words say what a text is about, pairs of words also
in which order: "the dog bit the man" and "the man bit the dog" share all words and 3 of 5 pairs.
"""

import itertools
import re
from collections.abc import Sequence

import numpy as np

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The runs of letters, digits and underscores of a text, lower-cased: "It's 5." -> ["it", "s", "5"]"""
    return _WORD.findall(text.lower())


def unigrams(text: str) -> set[str]:
    """The different words of a text."""
    return set(words(text))


def bigrams(text: str) -> set[tuple[str, str]]:
    """The different pairs of neighbouring words of a text; none where it has fewer than two words."""
    in_order = words(text)
    return set(itertools.pairwise(in_order))


def jaccard(a: set, b: set) -> float:
    """The share of common members in 0 … 1; two empty sets have nothing in common and give 0."""
    return len(a & b) / len(a | b) if a or b else 0.0


def unigram_overlap(first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """M texts and M texts -> (M,) Jaccard of the words of each pair"""
    return _overlap(unigrams, first, second)


def bigram_overlap(first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """M texts and M texts -> (M,) Jaccard of the neighbouring words of each pair"""
    return _overlap(bigrams, first, second)


def _overlap(members, first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    return np.array([jaccard(members(a), members(b)) for a, b in zip(first, second, strict=True)], np.float64)
