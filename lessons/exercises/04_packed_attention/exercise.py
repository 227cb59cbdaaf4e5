"""Causal attention over a packed batch: sentences one behind the other, no padding.

    q, k, v    (N, K)       one row a token, all sentences together
    offsets    (B+1,)       sentence b is rows offsets[b] to offsets[b+1]
    z          (N, K)       z[i] = Σ_j softmax_j(q_i · k_j / sqrt(K)) · v_j
                            over the tokens j ≤ i of the same sentence

Then `padded_rows`: how many rows would a padded batch carry, in which every sentence is filled up to the
longest? The tokens divided by it is the share of the work that is not wasted.
The package: `minigpt2/layers/attention.py`, where sentences of equal length go together.
"""

import math

import numpy as np


def packed_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, K), (N, K), (N, K), (B+1,) -> z (N, K)"""
    raise NotImplementedError("your turn")


def padded_rows(offsets: np.ndarray) -> int:
    """(B+1,) -> how many rows the batch would have with padding"""
    raise NotImplementedError("your turn")
