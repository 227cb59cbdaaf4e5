"""Positions in a batch without padding, and the first layer of GPT-2.

Several sentences lie one behind the other in one array of ids. `lengths` says how many tokens each has:

    ids       [5, 9, 2, 7, 4, 4]          three sentences: 5 9 2 | 7 | 4 4
    lengths   [3, 1, 2]
    positions [0, 1, 2, 0, 0, 1]          each sentence counts from 0

    embed(...)[n] = wte[ids[n]] + wpe[positions[n]]

A sentence may have no token at all (length 0). Write both functions, `positions` without a loop over tokens
if you can. The package: `minigpt2/ragged.py` and `minigpt2/layers/embedding.py`.
"""

import numpy as np


def positions(lengths: np.ndarray) -> np.ndarray:
    """(B,) -> (N,) whole numbers"""
    raise NotImplementedError("your turn")


def embed(ids: np.ndarray, lengths: np.ndarray, wte: np.ndarray, wpe: np.ndarray) -> np.ndarray:
    """(N,), (B,), (V, D), (P, D) -> (N, D)"""
    raise NotImplementedError("your turn")
