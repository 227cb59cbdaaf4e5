"""Group your own texts: one round of k-means.

    assign(x, centres)          (M, D), (k, D) -> (M,) the number of the nearest centre, the lower of equals
    centres_of(x, groups, old)  (M, D), (M,), (k, D) -> (k, D) the mean of each group's rows; a group without
                                rows keeps its old centre, instead of becoming NaN

For `assign` no (M, k, D) array: ‖x − c‖² = ‖x‖² − 2 x·c + ‖c‖², and ‖x‖² is the same for all centres of a
row, so ‖c‖² − 2 x·c is enough to find the nearest. It is not the largest dot product, unless all centres
are of one length. Lloyd 1982. The package: `minigpt2/evaluation/clustering.py`.
"""

import numpy as np


def assign(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(M, D), (k, D) -> (M,)"""
    raise NotImplementedError("your turn")


def centres_of(x: np.ndarray, groups: np.ndarray, old: np.ndarray) -> np.ndarray:
    """(M, D), (M,), (k, D) -> (k, D)"""
    raise NotImplementedError("your turn")
