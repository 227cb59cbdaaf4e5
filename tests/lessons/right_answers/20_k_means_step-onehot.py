"""Another right way."""

import numpy as np


def assign(x, centres):
    d = np.stack([np.linalg.norm(x - c, axis=1) for c in centres], axis=1)
    return d.argmin(1)


def centres_of(x, groups, old):
    G = np.eye(len(old))[groups]
    n = G.sum(0)[:, None]
    return np.where(n > 0, G.T @ x / np.maximum(n, 1), old)
