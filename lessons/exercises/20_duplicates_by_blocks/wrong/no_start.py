# expect: row numbers count from the beginning of the block
import numpy as np


def duplicates(x: np.ndarray, threshold: float, block: int) -> list[tuple[int, int]]:
    """(N, D) -> pairs (i, j), i < j"""
    pairs = []
    for start in range(0, len(x), block):
        cosines = x[start : start + block] @ x.T
        rows, columns = np.nonzero(cosines >= threshold)
        pairs += [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if start + i < j]
    return sorted(pairs)
