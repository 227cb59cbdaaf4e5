# expect: this is the mean of the sentences' means

import numpy as np


def next_token_loss(hidden: np.ndarray, wte: np.ndarray, ids: np.ndarray, offsets: np.ndarray) -> float:
    """(N, D), (V, D), (N,), (B+1,) -> nats"""
    means = []
    for b in range(len(offsets) - 1):
        r = np.arange(offsets[b], offsets[b + 1] - 1)
        if len(r):
            l = hidden[r] @ wte.T
            means.append(np.mean(np.logaddexp.reduce(l, axis=1) - l[np.arange(len(r)), ids[r + 1]]))
    return np.mean(means)
