"""Another right way."""

import numpy as np


def attention_backward(dz, q, k, v, pattern):
    T, K = q.shape
    dv = np.einsum("ij,ik->jk", pattern, dz)
    dp = np.einsum("ik,jk->ij", dz, v)
    ds = np.empty((T, T))
    for i in range(T):
        ds[i] = (np.diag(pattern[i]) - np.outer(pattern[i], pattern[i])) @ dp[i]
    ds *= K**-0.5
    return np.einsum("ij,jk->ik", ds, k), np.einsum("ij,ik->jk", ds, q), dv
