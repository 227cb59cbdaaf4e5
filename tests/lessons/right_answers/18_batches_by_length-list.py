"""Another right way."""

import numpy as np


def batches(lengths, most):
    out, now, n = [], [], 0
    for t in np.argsort(lengths, kind="stable"):
        L = lengths[t]
        if now and n + L > most:
            out.append(now)
            now, n = [], 0
        now.append(t)
        n += L
    if now:
        out.append(now)
    return out


def in_order(parts, groups):
    flat = np.concatenate(groups)
    return np.concatenate(parts)[np.argsort(flat)]
