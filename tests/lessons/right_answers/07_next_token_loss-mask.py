"""Another right way."""

import numpy as np


def next_token_loss(hidden, wte, ids, offsets):
    last = np.zeros(len(ids) + 1, bool)
    last[np.array(offsets[1:])[np.diff(offsets) > 0] - 1] = True
    keep = np.flatnonzero(~last[:-1])
    l = np.einsum("nd,vd->nv", hidden, wte)[keep]
    m = l.max(1)
    return np.mean(m + np.log(np.exp(l - m[:, None]).sum(1)) - l[np.arange(len(keep)), ids[keep + 1]])
