"""The effective rank of a set of vectors: 1 if all lie on one line, D if all directions are used alike.

    σ   = singular values of the rows, each row of length 1 first         (min(M, D),)
    p_i = σ_i / Σ σ                                                       shares that sum to 1
    rank = exp( − Σ p_i log p_i )                                         shares of 0 count nothing

The number of non-zero singular values would be D for anything with a little noise in it; the entropy weighs
each direction by how much it is used. Roy, Vetterli 2007. A set of zero vectors has rank 0.

    effective_rank(x)      (M, D) -> 0 … min(M, D)

The package: `minigpt2/evaluation/collapse.py`.
"""

import numpy as np


def effective_rank(x: np.ndarray) -> float:
    """(M, D) -> 0 … min(M, D)"""
    raise NotImplementedError("your turn")
