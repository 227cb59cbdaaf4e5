"""Another right way."""

import itertools
import math

import numpy as np


def packed_attention(q, k, v, offsets):
    z = np.empty_like(v)
    for a, b in itertools.pairwise(offsets):
        for i in range(a, b):
            s = k[a : i + 1] @ q[i] / math.sqrt(q.shape[1])
            w = np.exp(s - s.max())
            w = w / w.sum()
            z[i] = w @ v[a : i + 1]
    return z


def padded_rows(offsets):
    L = [b - a for a, b in itertools.pairwise(offsets)]
    return max(L) * len(L)
