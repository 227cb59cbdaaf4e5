"""Another right way."""

import numpy as np


def positions(lengths):
    return np.concatenate([np.arange(t) for t in lengths])


def embed(ids, lengths, wte, wpe):
    out = np.empty((len(ids), wte.shape[1]))
    for n, (i, p) in enumerate(zip(ids, positions(lengths), strict=False)):
        out[n] = wte[i] + wpe[p]
    return out
