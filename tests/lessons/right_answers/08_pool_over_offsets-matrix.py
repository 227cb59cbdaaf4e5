"""Another right way."""

import itertools

import numpy as np


def mean_pool(x, offsets):
    L = np.diff(offsets)
    s = np.repeat(np.arange(len(L)), L)
    M = np.zeros((len(L), len(x)))
    M[s, np.arange(len(x))] = 1
    return M @ x / np.maximum(L, 1)[:, None]


def last_pool(x, offsets):
    return np.array([x[b - 1] if b > a else 0 * x[0] for a, b in itertools.pairwise(offsets)])
