"""Another right way."""

import math

import numpy as np


def counts(texts, V, window):
    C = np.zeros((V, V), int)
    for t in texts:
        t = np.array(t)
        for d in range(1, window + 1):
            if len(t) > d:
                np.add.at(C, (t[:-d], t[d:]), 1)
    return C + C.T


def ppmi(C):
    P = np.zeros(C.shape)
    for i, j in zip(*np.nonzero(C), strict=False):
        P[i, j] = max(0.0, math.log(C[i, j] * C.sum() / C[i].sum() / C[:, j].sum()))
    return P


def vectors(P, D):
    w, U = np.linalg.eigh(P @ P.T)
    return U[:, ::-1][:, :D] * (np.maximum(w[::-1][:D], 0)) ** 0.25
