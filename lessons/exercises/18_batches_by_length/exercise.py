"""Cut texts into batches: sorted by length, each with at most so many tokens, results in the old order.

    batches(lengths, most)       -> lists of text numbers. Shortest texts first (of equal length the lower
                                    number first); a batch is closed when the next text would bring its tokens
                                    above `most`. A text longer than `most` is a batch by itself.

    in_order(parts, groups)      parts[i] (n_i, D) are the vectors of the texts groups[i]
                                 -> (M, D), row t belongs to text t

Sorting puts equal lengths side by side, which attention likes; cutting by tokens and not by texts makes all
batches the same work. The package: `batches_by_length` in `minigpt2/encoder.py`.
"""

import numpy as np


def batches(lengths: list[int], most: int) -> list[list[int]]:
    """M lengths in tokens -> the numbers of the texts of each batch"""
    raise NotImplementedError("your turn")


def in_order(parts: list[np.ndarray], groups: list[list[int]]) -> np.ndarray:
    """Arrays (n_i, D) and the texts that they belong to -> (M, D)"""
    raise NotImplementedError("your turn")
