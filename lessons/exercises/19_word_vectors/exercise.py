"""Word vectors from counts and one singular value decomposition.

    C[i, j] = how often word j stands within `window` places of word i, on both sides       (V, V), symmetric
    PPMI    = max(0, log( C[i, j] · total / (row sum i · row sum j) ))                      0 where C is 0
    vectors = the first D columns of U · sqrt(S),  U, S, Vᵀ = svd(PPMI)                     (V, D)

PPMI asks of a pair: do they meet more often than their frequencies would let one expect? Levy, Goldberg
2014 showed that word2vec factorises nearly the same matrix. Texts are given as lists of word numbers;
neighbours are looked for within a text only, and a word is not its own neighbour at distance 0 (at distance
1 it may be).

    counts(texts, V, window)    lists of ids -> C (V, V)
    ppmi(C)                     (V, V) -> (V, V); no warning, no NaN
    vectors(P, D)               (V, V) -> (V, D); the sign of a column is free
"""

import numpy as np


def counts(texts: list[list[int]], V: int, window: int) -> np.ndarray:
    """M lists of ids from 0 to V−1 -> C (V, V)"""
    raise NotImplementedError("your turn")


def ppmi(C: np.ndarray) -> np.ndarray:
    """(V, V) -> (V, V)"""
    raise NotImplementedError("your turn")


def vectors(P: np.ndarray, D: int) -> np.ndarray:
    """(V, V) -> (V, D)"""
    raise NotImplementedError("your turn")
