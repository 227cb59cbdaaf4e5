"""Another right way."""

import math

import numpy as np


def alignment(a, b):
    return np.mean(np.linalg.norm(a - b, axis=1) ** 2)


def uniformity(x):
    v = [math.exp(-2 * float(((p - q) ** 2).sum())) for i, p in enumerate(x) for q in x[i + 1 :]]
    return math.log(sum(v) / len(v))
