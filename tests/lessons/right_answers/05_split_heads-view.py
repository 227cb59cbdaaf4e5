"""Another right way."""

import numpy as np


def split(x, heads):
    return np.einsum("thk->htk", x.reshape(len(x), heads, -1))


def merge(x):
    return np.moveaxis(x, 0, 1).reshape(x.shape[1], -1)
