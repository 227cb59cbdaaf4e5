"""Another right way."""

import numpy as np


def one_hot(ids, V):
    return np.eye(V)[ids]


def table_gradient(ids, dy, V):
    return np.stack([np.bincount(ids, weights=c, minlength=V) for c in dy.T], axis=1)
