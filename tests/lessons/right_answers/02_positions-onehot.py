"""Another right way."""

import numpy as np


def positions(lengths):
    return np.array([t for T in lengths for t in range(T)], dtype=int)


def embed(ids, lengths, wte, wpe):
    return np.eye(len(wte))[ids] @ wte + np.eye(len(wpe))[positions(lengths)] @ wpe
