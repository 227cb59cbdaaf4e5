# expect: the whole (N, N) matrix is made
import numpy as np


def duplicates(x: np.ndarray, threshold: float, block: int) -> list[tuple[int, int]]:
    """(N, D) -> pairs (i, j), i < j"""
    rows, columns = np.nonzero(np.triu(x @ x.T, k=1) >= threshold)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True)]
