# expect: all distances from 1 to `window`
import numpy as np


def counts(texts: list[list[int]], V: int, window: int) -> np.ndarray:
    """M lists of ids from 0 to V−1 -> C (V, V)"""
    C = np.zeros((V, V))  # (V, V)
    for text in texts:
        for distance in [window]:
            for left, right in zip(text, text[distance:], strict=False):
                C[left, right] += 1
                C[right, left] += 1
    return C


def ppmi(C: np.ndarray) -> np.ndarray:
    """(V, V) -> (V, V)"""
    sums = C.sum(axis=1)  # (V,)
    expected = np.outer(sums, sums) / max(C.sum(), 1.0)  # (V, V)
    met = C > 0
    P = np.zeros_like(C)
    P[met] = np.maximum(0.0, np.log(C[met] / expected[met]))
    return P


def vectors(P: np.ndarray, D: int) -> np.ndarray:
    """(V, V) -> (V, D)"""
    U, S, _ = np.linalg.svd(P)
    return U[:, :D] * np.sqrt(S[:D])  # (V, D)
