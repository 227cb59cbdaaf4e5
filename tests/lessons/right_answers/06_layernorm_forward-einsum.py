"""Another right way."""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    m = np.einsum("nd->n", x)[:, None] / x.shape[1]
    c = x - m
    v = np.einsum("nd,nd->n", c, c)[:, None] / x.shape[1]
    return bias + gain * c * (v + eps) ** -0.5
