"""Another right way."""

import numpy as np


def pearson(a, b):
    sa, sb = a.std(axis=1), b.std(axis=1)
    c = ((a - a.mean(1)[:, None]) * (b - b.mean(1)[:, None])).mean(1)
    return np.divide(c, sa * sb, out=np.zeros(len(a)), where=sa * sb > 0)
