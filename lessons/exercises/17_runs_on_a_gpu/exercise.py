"""Make this function run on a GPU, unchanged on the CPU.

It pools sentences by attention: a query meets every token, padded tokens are hidden, softmax makes weights.

    x (B, T, D), query (D,) on the device;  lengths (B,) on the host  ->  (B, D) on the device

On the CPU it is right. On a GPU it fails: NumPy functions and arrays of the host meet arrays of the device,
and an `if` on a device number makes the host wait. The check needs no GPU: a stand-in for CuPy computes on
the host and refuses what would fail or wait.

    xp = array_module(x)          numpy or cupy, whichever made x (minigpt2/backend.py)
    xp.asarray(a)                 brings a host array onto the device
"""

import math

import numpy as np

from minigpt2.backend import Array


def attention_pool(x: Array, query: Array, lengths: np.ndarray) -> Array:
    """(B, T, D), (D,), (B,) -> (B, D)"""
    B, T, D = x.shape
    scores = x @ query / math.sqrt(D)  # (B, T)
    if scores.max() > 50.0:
        scores = scores - scores.max()
    real = np.arange(T) < lengths[:, None]  # (B, T)
    scores = np.where(real, scores, -math.inf)  # (B, T)
    e = np.exp(scores)  # (B, T)
    weights = e / e.sum(axis=1, keepdims=True)  # (B, T)
    return (weights.reshape(B, 1, T) @ x).reshape(B, D)  # (B, D)
