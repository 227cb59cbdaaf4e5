# expect: only the first k
import math

import numpy as np


def ndcg(scores: np.ndarray, relevance: np.ndarray, k: int) -> float:
    """(N,), (N,) -> 0 … 1"""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])

    def f(rel):
        return sum(r / math.log2(i + 2) for i, r in enumerate(list(rel)))

    return f([relevance[i] for i in order]) / f(sorted(relevance, reverse=True))
