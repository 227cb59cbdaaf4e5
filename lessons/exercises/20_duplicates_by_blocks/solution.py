"""Duplicates without the whole matrix: one way to do it."""

import numpy as np


def duplicates(x: np.ndarray, threshold: float, block: int) -> list[tuple[int, int]]:
    """(N, D) -> pairs (i, j), i < j"""
    pairs = []
    for start in range(0, len(x), block):
        cosines = x[start : start + block] @ x[start:].T  # (block, N − start)
        rows, columns = np.nonzero(cosines >= threshold)
        pairs += [(start + int(i), start + int(j)) for i, j in zip(rows, columns, strict=True) if i < j]
    return sorted(pairs)
