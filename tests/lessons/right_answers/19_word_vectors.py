"""Another right way."""

import numpy as np


def counts(texts, V, window):
    C = np.zeros((V, V))
    for t in texts:
        for i in range(len(t)):
            for j in range(max(0, i - window), min(len(t), i + window + 1)):
                if i != j:
                    C[t[i], t[j]] += 1
    return C


def ppmi(C):
    s = C.sum(0)
    with np.errstate(all="ignore"):
        p = np.log(C * C.sum() / np.outer(s, s))
    return np.nan_to_num(np.maximum(p, 0), posinf=0, neginf=0)


def vectors(P, D):
    u, s, _ = np.linalg.svd(P, full_matrices=False)
    return (u * np.sqrt(s))[:, :D]
