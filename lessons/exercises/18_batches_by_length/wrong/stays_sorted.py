# expect: the rows are in the order of the batches
import numpy as np


def batches(lengths: list[int], most: int) -> list[list[int]]:
    """M lengths in tokens -> the numbers of the texts of each batch"""
    groups: list[list[int]] = []
    tokens = 0
    for text in sorted(range(len(lengths)), key=lambda t: (lengths[t], t)):
        if not groups or tokens + lengths[text] > most:
            groups.append([])
            tokens = 0
        groups[-1].append(text)
        tokens += lengths[text]
    return groups


def in_order(parts: list[np.ndarray], groups: list[list[int]]) -> np.ndarray:
    """Arrays (n_i, D) and the texts that they belong to -> (M, D)"""
    return np.concatenate(parts)
