"""Another right way."""

import numpy as np


def many_heads(x, weight, bias, heads):
    T, D = x.shape
    K = D // heads
    qkv = x @ weight + bias
    out = []
    for h in range(heads):
        q, k, v = (qkv[:, o + h * K : o + (h + 1) * K] for o in (0, D, 2 * D))
        s = q @ k.T * K**-0.5
        s[~np.tri(T, dtype=bool)] = -np.inf
        e = np.exp(s - s.max(1, keepdims=True))
        out.append(e / e.sum(1, keepdims=True) @ v)
    return np.hstack(out)
