"""Another right way."""

import numpy as np


def next_token_loss(hidden, wte, ids, offsets):
    total, n = 0.0, 0
    for b in range(len(offsets) - 1):
        for i in range(offsets[b], offsets[b + 1] - 1):
            l = wte @ hidden[i]
            total += np.logaddexp.reduce(l) - l[ids[i + 1]]
            n += 1
    return total / n
