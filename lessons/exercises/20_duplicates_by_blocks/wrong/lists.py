# expect: lists stand where tuples should

import numpy as np


def duplicates(x: np.ndarray, threshold: float, block: int) -> list[tuple[int, int]]:
    """(N, D) -> pairs (i, j), i < j"""
    out = []
    for s in range(0, len(x), block):
        i, j = np.nonzero(x[s : s + block] @ x.T >= threshold)
        i = i + s
        out += [[int(a), int(b)] for a, b in zip(i[i < j], j[i < j], strict=False)]
    return out
