"""Another right way."""

import math

import numpy as np

from minigpt2.backend import array_module


def attention_pool(x, query, lengths):
    xp = array_module(x)
    _B, T, D = x.shape
    mask = xp.asarray((np.arange(T)[None] >= lengths[:, None]) * -1e30)
    s = (x * query).sum(axis=2) / math.sqrt(D) + mask
    s = s - s.max(axis=1, keepdims=True)
    e = xp.exp(s)
    return ((e / e.sum(axis=1, keepdims=True))[:, :, None] * x).sum(axis=1)
