"""What one token gathers from T others.

    scores_t  = q · k_t / sqrt(K)          how well the query meets key t            (T,)
    weights   = softmax(scores)            positive, sum 1                           (T,)
    z         = Σ_t weights_t · v_t        the weighted mean of the values           (K,)

The division by sqrt(K) keeps the scores near 1 in size: a dot product of K random numbers grows like
sqrt(K), and softmax of large scores gives nearly all weight to one token.

Return both: the weights (they are what one looks at) and z. Vaswani et al. 2017, arXiv:1706.03762, equation
1. The package: `minigpt2/layers/attention.py`.
"""

import math

import numpy as np


def attend(q: np.ndarray, keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K,), (T, K), (T, K) -> weights (T,), z (K,)"""
    raise NotImplementedError("your turn")
