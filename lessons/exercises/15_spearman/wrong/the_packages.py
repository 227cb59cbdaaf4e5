# expect: your file takes ranks from the package
import numpy as np

from minigpt2.evaluation import metrics


def ranks(values: np.ndarray) -> np.ndarray:
    """(M,) -> (M,) from 1"""
    return metrics.ranks(values)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """(M,), (M,) -> −1 … 1"""
    return metrics.pearson(ranks(a), ranks(b))
