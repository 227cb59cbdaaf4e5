# expect: the last, smaller block is left out

import numpy as np


def duplicates(x: np.ndarray, threshold: float, block: int) -> list[tuple[int, int]]:
    """(N, D) -> pairs (i, j), i < j"""
    out = []
    for s in range(0, len(x) - block + 1, block):
        i, j = np.nonzero(x[s : s + block] @ x.T >= threshold)
        i = i + s
        out += list(zip(i[i < j], j[i < j], strict=False))
    return out
