"""Another right way."""

import numpy as np


def top_k(scores, k):
    N = scores.shape[1]
    k = min(k, N)
    p = scores.argpartition(N - k, axis=1)[:, N - k :]
    s = np.take_along_axis(scores, p, axis=1)
    o = s.argsort(axis=1)[:, ::-1]
    return np.take_along_axis(p, o, axis=1), np.take_along_axis(s, o, axis=1)
