"""Another right way."""

import numpy as np


def duplicates(x, threshold, block):
    out = []
    for s in range(0, len(x), block):
        c = np.einsum("id,jd->ij", x[s : s + block], x)
        c[np.arange(len(x))[None] <= np.arange(s, s + len(c))[:, None]] = -np.inf
        out.extend((int(i) + s, int(j)) for i, j in np.argwhere(c >= threshold))
    return out
