"""Find what is wrong with this mask, and mend it.

A padded batch: B sentences, all filled up to T tokens, `lengths` (B,) says how many are real. A query i may
see key j if j ≤ i (causal) and if j is a real token (j < length). Weights of a padded query are all 0:
nobody asks.

    weights (B, T, T): for a real query a row that sums to 1 over the keys it may see, exactly 0 elsewhere

The code below runs, its rows look like weights, and a model with it even trains. But two mistakes are in
it. The package packs its sentences, so that there is nothing to pad (`minigpt2/ragged.py`); everybody who
pads needs this mask.
"""

import numpy as np


def masked_weights(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(B, T, T) scores of query i with key j in [b, i, j], (B,) -> weights (B, T, T)"""
    B, T, _ = scores.shape
    causal = np.tri(T, dtype=bool)  # (T, T) row i is True at the columns j ≤ i
    real = np.arange(T) < lengths[:, None]  # (B, T)
    sees = causal.T & real[:, None, :]  # (B, T, T)
    hidden = np.where(sees, scores, 0.0)  # (B, T, T)
    hidden = np.where(real[:, :, None], hidden, 0.0)  # (B, T, T) any finite row: it is set to 0 below
    e = np.exp(hidden - hidden.max(axis=2, keepdims=True))  # (B, T, T)
    return e / e.sum(axis=2, keepdims=True) * real[:, :, None]  # (B, T, T)
