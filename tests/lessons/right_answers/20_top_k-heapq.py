"""Another right way."""

import heapq

import numpy as np


def top_k(scores, k):
    p = np.array([heapq.nlargest(k, range(len(r)), key=r.__getitem__) for r in scores])
    return p, np.array([[r[j] for j in q] for r, q in zip(scores, p, strict=False)])
