"""Centre sentence vectors, and measure what it does.

All vectors of a language model lie in a narrow cone: even texts that have nothing in common have cosines
near 1 (Ethayarajh 2019, arXiv:1909.00512). The remedy is cheap: take away the mean vector of a corpus, and
normalise.

    mean_cosine(x)        (M, D) -> the mean cosine of two different rows, over all pairs
    centre(x, corpus)     (B, D), (M, D) -> (B, D): x minus the mean of the CORPUS, every row of length 1

The mean belongs to the corpus, not to the batch: a text must get the same vector whatever stands beside it.
A row that is zero after centring stays zero. The package: `collapse_of` in
`minigpt2/evaluation/collapse.py`.
"""

import numpy as np


def mean_cosine(x: np.ndarray) -> float:
    """(M, D) -> −1 … 1"""
    raise NotImplementedError("your turn")


def centre(x: np.ndarray, corpus: np.ndarray) -> np.ndarray:
    """(B, D), (M, D) -> (B, D), rows of length 1"""
    raise NotImplementedError("your turn")
