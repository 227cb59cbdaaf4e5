"""Another right way."""

import numpy as np


def top_k(scores, k):
    k = min(k, scores.shape[1])
    N = scores.shape[1]
    p = np.argpartition(scores, N - k, axis=1)[:, N - k :]
    p = np.array([sorted(r, key=lambda j: -s[j]) for r, s in zip(p, scores, strict=False)])
    return p, np.take_along_axis(scores, p, 1)
