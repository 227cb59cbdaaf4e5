"""Another right way."""

import numpy as np


def masked_weights(scores, lengths):
    _B, T, _ = scores.shape
    j = np.arange(T)
    ok = (
        (j[None, None, :] <= j[None, :, None])
        & (j < lengths[:, None, None])
        & (j[:, None] < lengths[:, None, None])
    )
    s = np.where(ok, scores, -1e9)
    e = np.exp(s - s.max(-1, keepdims=True)) * ok
    t = e.sum(-1, keepdims=True)
    return e / np.where(t > 0, t, 1)
