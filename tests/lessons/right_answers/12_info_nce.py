"""Another right way."""

import numpy as np

from minigpt2.layers import cross_entropy


def info_nce(a, b, t):
    s = a @ b.T / t
    i = np.arange(len(a))
    return (cross_entropy(s, i)[0] + cross_entropy(s.T, i)[0]) / 2
