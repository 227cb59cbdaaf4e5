# expect: of equal length the lower number comes first

import numpy as np


def batches(lengths: list[int], most: int) -> list[list[int]]:
    """M lengths in tokens -> the numbers of the texts of each batch"""
    out, now, n = [], [], 0
    for t in sorted(range(len(lengths)), key=lambda t: (lengths[t], -t)):
        L = lengths[t]
        if now and n + L > most:
            out.append(now)
            now, n = [], 0
        now.append(t)
        n += L
    if now:
        out.append(now)
    return out


def in_order(parts: list[np.ndarray], groups: list[list[int]]) -> np.ndarray:
    """Arrays (n_i, D) and the texts that they belong to -> (M, D)"""
    return np.concatenate(parts)[np.argsort(np.concatenate(groups))]
