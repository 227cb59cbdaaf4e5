"""Another right way."""

import numpy as np


def one_hot(ids, V):
    return (ids[:, None] == np.arange(V)).astype(float)


def table_gradient(ids, dy, V):
    g = np.zeros((V, dy.shape[1]))
    for n, i in enumerate(ids):
        g[i] += dy[n]
    return g
