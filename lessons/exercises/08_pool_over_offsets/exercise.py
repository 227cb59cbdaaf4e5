"""One vector for each sentence of a packed batch: the mean of its rows, or its last row.

    x        (N, D)      one row a token
    offsets  (B+1,)      sentence b is rows offsets[b] to offsets[b+1]

    mean_pool(x, offsets)[b] = mean of the rows of sentence b             (B, D)
    last_pool(x, offsets)[b] = its last row                               (B, D)

A sentence without tokens gives a row of zeros in both. In a causal model only the last token has seen the
whole sentence; which of the two is better is measured in the lesson. The package:
`minigpt2/layers/pooling.py`.
"""

import numpy as np


def mean_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    raise NotImplementedError("your turn")


def last_pool(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, D), (B+1,) -> (B, D)"""
    raise NotImplementedError("your turn")
