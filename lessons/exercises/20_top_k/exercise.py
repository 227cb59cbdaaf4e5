"""Semantic search: for each query the k texts with the highest scores.

    top_k(scores, k)       (Q, N) -> numbers of the texts (Q, k), and their scores (Q, k), best first

Sorting all N scores of each query costs N · log N; only k are wanted. `np.argpartition(x, k)` puts the k
smallest in front in no order, in time N. Then only these k are sorted. Of equal scores any may come first.
If there are fewer than k texts, all come. The check refuses a sort of whole rows.

The package: `nearest` in `minigpt2/similarity.py`.
"""

import numpy as np


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(Q, N) -> places (Q, k), scores (Q, k)"""
    raise NotImplementedError("your turn")
