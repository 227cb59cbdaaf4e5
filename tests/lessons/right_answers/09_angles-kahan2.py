"""Another right way."""

import math

import numpy as np


def angle(a, b):
    na, nb = np.linalg.norm(a, axis=1)[:, None], np.linalg.norm(b, axis=1)[:, None]
    d = 2 * np.arctan2(np.linalg.norm(a * nb - b * na, axis=1), np.linalg.norm(a * nb + b * na, axis=1))
    return np.where((na * nb)[:, 0] == 0, np.pi / 2, d)


def angular(a, b):
    return 1 - angle(a, b) / math.pi
