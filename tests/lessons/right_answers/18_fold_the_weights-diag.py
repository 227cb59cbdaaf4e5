"""Another right way."""

import numpy as np


def fold(gain, bias, weight, b, K):
    D = len(gain)
    s = np.concatenate([np.full(D, K**-0.5), np.ones(2 * D)])
    return np.diag(gain) @ weight @ np.diag(s), (np.einsum("d,de->e", bias, weight) + b) * s
