"""How good is a ranking for one query?

    DCG@k  = Σ over the first k places of relevance / log2(place + 1)          places from 1
    nDCG@k = DCG@k / (DCG@k of the best order there could be)                  0 … 1

The gain is the relevance itself (0, 1, 2 …), as in trec_eval. The best order is that of all documents by
their relevance, not only of the k that were found. Here no two scores are equal, and at least one document
is relevant.

    ndcg(scores, relevance, k)     (N,), (N,), places -> 0 … 1

Järvelin, Kekäläinen 2002. The package, ties included: `minigpt2/evaluation/metrics.py`.
"""

import numpy as np


def ndcg(scores: np.ndarray, relevance: np.ndarray, k: int) -> float:
    """(N,), (N,) -> 0 … 1"""
    raise NotImplementedError("your turn")
