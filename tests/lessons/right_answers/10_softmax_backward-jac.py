"""Another right way."""

import numpy as np


def softmax_backward(dy, y):
    J = y[..., None] * np.eye(y.shape[-1]) - y[..., None] * y[..., None, :]
    return (J @ dy[..., None])[..., 0]
