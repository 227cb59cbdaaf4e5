"""Two gauges that only together say something.

    alignment  = mean ‖a_i − b_i‖²                         over pairs that belong together; 0 is best
    uniformity = log mean exp(−2 · ‖x_i − x_j‖²)           over all pairs of different rows; lower is better

All rows have length 1, so squared distances are 2 − 2·cosine. If all vectors are the same, alignment is 0,
the best there is, and uniformity is 0, the worst there is. Wang, Isola 2020, arXiv:2005.10242, section 4.

    alignment(a, b)       (M, D), (M, D) -> 0 … 4
    uniformity(x)         (M, D) -> −8 … 0

The package: `minigpt2/evaluation/collapse.py`.
"""

import numpy as np


def alignment(a: np.ndarray, b: np.ndarray) -> float:
    """(M, D), (M, D), rows of length 1"""
    raise NotImplementedError("your turn")


def uniformity(x: np.ndarray) -> float:
    """(M, D), rows of length 1"""
    raise NotImplementedError("your turn")
