# expect: the deviations by D − 1

import numpy as np


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B, D), (B, D) -> (B,)"""
    sa, sb = a.std(axis=1, ddof=1), b.std(axis=1, ddof=1)
    c = ((a - a.mean(1)[:, None]) * (b - b.mean(1)[:, None])).mean(1)
    return np.divide(c, sa * sb, out=np.zeros(len(a)), where=sa * sb > 0)
