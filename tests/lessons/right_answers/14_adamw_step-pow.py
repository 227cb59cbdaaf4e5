"""Another right way."""

import math

import numpy as np


def adamw(theta, m, v, g, t, lr, betas=(0.9, 0.98), eps=1e-8, decay=0.01):
    b1, b2 = betas
    m = m + (1 - b1) * (g - m)
    v = v + (1 - b2) * (g**2 - v)
    a = lr * math.sqrt(1 - b2**t) / (1 - b1**t)
    return theta - lr * decay * theta - a * m / (np.sqrt(v) + eps * math.sqrt(1 - b2**t)), m, v
