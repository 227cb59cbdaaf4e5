"""Another right way."""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    return np.array([(r - np.mean(r)) / np.sqrt(np.var(r) + eps) * gain + bias for r in x])
