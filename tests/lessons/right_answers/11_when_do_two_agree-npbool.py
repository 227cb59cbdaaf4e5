"""Another right way."""

import numpy as np


def relative_error(a, n, floor=1e-10):
    if np.shape(a) != np.shape(n):
        raise ValueError("shapes")
    e = np.sqrt(((a - n) ** 2).sum()) / np.max([np.sqrt((a * a).sum()), np.sqrt((n * n).sum()), floor])
    return np.inf if np.isnan(e) else e


def agree(a, n):
    return np.less_equal(relative_error(a, n), 1e-6)
