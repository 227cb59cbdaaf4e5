"""Spearman's correlation: do two rows of numbers rise together, whatever their scale?

    ranks([10, 30, 20, 30])  -> [1, 3.5, 2, 3.5]         tied values share the mean of their ranks
    spearman(a, b) = pearson(ranks(a), ranks(b))         −1 … 1; 0 where one row has only ties

Without shared ranks the result would depend on the order in which tied examples stand in a file. The
formula 1 − 6·Σd²/(M³ − M) holds only without ties, and human scores are full of them.

The package: `ranks` and `spearman` in `minigpt2/evaluation/metrics.py`.
"""

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """(M,) -> (M,) from 1"""
    raise NotImplementedError("your turn")


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """(M,), (M,) -> −1 … 1"""
    raise NotImplementedError("your turn")
