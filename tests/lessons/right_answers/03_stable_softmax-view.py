"""Another right way."""

import numpy as np


def softmax(x):
    y = x.copy()
    y -= y.max(-1, keepdims=True)
    np.exp(y, out=y)
    y /= y.sum(-1, keepdims=True)
    return y[...]
