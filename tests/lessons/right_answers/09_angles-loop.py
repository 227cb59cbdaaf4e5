"""Another right way."""

import math

import numpy as np


def angle(a, b):
    out = []
    for x, y in zip(a, b, strict=False):
        nx, ny = math.hypot(*x), math.hypot(*y)
        out.append(
            math.pi / 2
            if nx * ny == 0
            else 2 * math.atan2(np.linalg.norm(x / nx - y / ny), np.linalg.norm(x / nx + y / ny))
        )
    return np.array(out)


def angular(a, b):
    return (np.pi - angle(a, b)) / np.pi
