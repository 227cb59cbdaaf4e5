"""Another right way."""

import numpy as np


def cosent(cosines, labels, temperature):
    d = np.subtract.outer(cosines, cosines) / temperature
    return np.logaddexp(0, np.logaddexp.reduce(d[labels[:, None] < labels], initial=-np.inf))
