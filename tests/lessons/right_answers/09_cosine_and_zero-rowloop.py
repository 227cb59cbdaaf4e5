"""Another right way."""

import numpy as np


def cosines(a, b):
    b = b / np.maximum(np.linalg.norm(b, axis=1), 1e-300)[:, None]
    out = np.zeros((len(a), len(b)))
    for i, row in enumerate(a):
        n = np.linalg.norm(row)
        if n:
            out[i] = np.clip(b @ row / n, -1, 1)
    return out
