"""Another right way."""

import numpy as np


def masked_weights(scores, lengths):
    _B, _T, _ = scores.shape
    out = np.zeros_like(scores)
    for b, L in enumerate(lengths):
        for i in range(L):
            s = scores[b, i, : i + 1]
            e = np.exp(s - s.max())
            out[b, i, : i + 1] = e / e.sum()
    return out
