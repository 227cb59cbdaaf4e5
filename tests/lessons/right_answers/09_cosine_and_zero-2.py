"""A loop over the rows of one side is no loop over pairs."""

import numpy as np


def cosines(a, b):
    lengths = np.linalg.norm(b, axis=1)
    rows = []
    for x in a:
        length = np.linalg.norm(x)
        c = np.zeros(len(b))
        if length > 0:
            np.divide(b @ x, length * lengths, out=c, where=lengths > 0)
        rows.append(c)
    return np.clip(rows, -1, 1)
