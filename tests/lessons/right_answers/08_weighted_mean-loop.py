"""Another right way."""

import numpy as np


def weights(lengths):
    return np.concatenate([np.arange(1, t + 1) / sum(range(1, t + 1)) for t in lengths])


def pool(x, lengths):
    w = weights(lengths)
    y, s = [], 0
    for t in lengths:
        y.append(w[s : s + t] @ x[s : s + t])
        s += t
    return np.stack(y)


def pool_backward(dy, lengths):
    b = np.repeat(np.arange(len(lengths)), lengths)
    return np.einsum("n,nd->nd", weights(lengths), dy[b])
