"""Another right way."""

import numpy as np


def softmax(x):
    m = np.max(x, -1)[..., None]
    return np.exp(x - m - np.log(np.sum(np.exp(x - m), -1))[..., None])
