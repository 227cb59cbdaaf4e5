"""Backward of causal attention for one head and one sentence.

    scores  = q · kᵀ / sqrt(K)            (T, T), −inf where j > i
    pattern = softmax(scores)             (T, T)
    z       = pattern · v                 (T, K)

Given dz (T, K), go back line by line: dv and dpattern from the last line, dscores from the softmax (y · (dy
− Σ dy·y) row by row), dq and dk from the first. A hidden entry of the pattern is 0, and softmax's backward
multiplies by it, so the mask needs no backward of its own.

The check compares with finite differences, then your function does every head of a model that trains.
The package: `attend_backward` in `minigpt2/layers/attention.py`.
"""

import math

import numpy as np


def attention_backward(
    dz: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, pattern: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dz, q, k, v (T, K), pattern (T, T) -> dq, dk, dv (T, K)"""
    raise NotImplementedError("your turn")
