# expect: this is the DCG
import numpy as np


def ndcg(scores: np.ndarray, relevance: np.ndarray, k: int) -> float:
    """(N,), (N,) -> 0 … 1"""

    def dcg(ordered: np.ndarray) -> float:
        first = ordered[:k]
        return float((first / np.log2(np.arange(len(first)) + 2.0)).sum())

    return dcg(relevance[np.argsort(-scores)])
