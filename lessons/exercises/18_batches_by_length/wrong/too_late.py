# expect: a batch is closed too late
import numpy as np


def batches(lengths: list[int], most: int) -> list[list[int]]:
    """M lengths in tokens -> the numbers of the texts of each batch"""
    groups: list[list[int]] = []
    tokens = 0
    for text in sorted(range(len(lengths)), key=lambda t: (lengths[t], t)):
        if not groups or tokens > most:
            groups.append([])
            tokens = 0
        groups[-1].append(text)
        tokens += lengths[text]
    return groups


def in_order(parts: list[np.ndarray], groups: list[list[int]]) -> np.ndarray:
    """Arrays (n_i, D) and the texts that they belong to -> (M, D)"""
    M = sum(len(group) for group in groups)
    rows = np.empty((M, parts[0].shape[1]))  # (M, D)
    for part, group in zip(parts, groups, strict=True):
        rows[group] = part
    return rows
