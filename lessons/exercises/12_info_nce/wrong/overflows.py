# expect: exp of a score in the hundreds overflows

import numpy as np


def info_nce(a, b, t):
    s = a @ b.T / t

    def f(s):
        return -np.log(np.diag(np.exp(s)) / np.exp(s).sum(1)).mean()

    return (f(s) + f(s.T)) / 2
