"""Another right way."""

import numpy as np


def split(x, heads):
    return np.swapaxes(x.reshape(len(x), heads, -1), 0, 1)


def merge(x):
    return np.concatenate(list(x), axis=1)
