"""Another right way."""

import math

from minigpt2.backend import array_module


def attention_pool(x, query, lengths):
    xp = array_module(x)
    scores = xp.matmul(x, query) * x.shape[2] ** -0.5
    real = xp.arange(x.shape[1]) < xp.asarray(lengths)[:, None]
    scores[~real] = -math.inf
    scores -= scores.max(axis=1, keepdims=True)
    w = xp.exp(scores)
    w /= w.sum(axis=1, keepdims=True)
    return xp.einsum("bt,btd->bd", w, x)
