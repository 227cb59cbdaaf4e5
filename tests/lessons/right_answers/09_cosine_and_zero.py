"""Another right way."""

import numpy as np


def cosines(a, b):
    with np.errstate(all="ignore"):
        c = (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    return np.clip(np.nan_to_num(c), -1, 1)
