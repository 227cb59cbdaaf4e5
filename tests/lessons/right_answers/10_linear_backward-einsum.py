"""Another right way."""

import numpy as np


def linear_backward(dy, x, weight):
    return np.einsum("no,io->ni", dy, weight), np.tensordot(x, dy, (0, 0)), np.ones(len(dy)) @ dy
