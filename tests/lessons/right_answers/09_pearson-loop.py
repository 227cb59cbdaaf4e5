"""Another right way."""

import math

import numpy as np


def pearson(a, b):
    out = []
    for x, y in zip(a, b, strict=False):
        x, y = x - x.mean(), y - y.mean()
        n = math.sqrt(x @ x) * math.sqrt(y @ y)
        out.append(x @ y / n if n else 0.0)
    return np.array(out)
