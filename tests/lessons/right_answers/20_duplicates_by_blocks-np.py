"""Another right way."""

import numpy as np


def duplicates(x, threshold, block):
    out = []
    for s in range(0, len(x), block):
        i, j = np.nonzero(x[s : s + block] @ x.T >= threshold)
        i = i + s
        out += list(zip(i[i < j], j[i < j], strict=False))
    return out
