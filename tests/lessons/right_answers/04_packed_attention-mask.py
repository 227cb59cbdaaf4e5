"""Another right way."""

import numpy as np


def packed_attention(q, k, v, offsets):
    N, K = q.shape
    sent = np.searchsorted(offsets, np.arange(N), side="right")
    ok = (sent[:, None] == sent) & (np.arange(N)[:, None] >= np.arange(N))
    s = np.where(ok, np.einsum("ik,jk->ij", q, k) * K**-0.5, -np.inf)
    e = np.exp(s - s.max(1, keepdims=True))
    return np.einsum("ij,jk->ik", e / e.sum(1, keepdims=True), v)


def padded_rows(offsets):
    return np.diff(offsets).max() * (len(offsets) - 1)
