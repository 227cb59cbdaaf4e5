"""The package's attention."""

import math
from types import ModuleType

import numpy as np

from minigpt2.layers import attend, softmax
from minigpt2.learn.checking import same_array
from minigpt2.ragged import TokenBatch


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(9)
    T, D, H = 4, 6, 3
    x, weight, bias = rng.standard_normal((T, D)), rng.standard_normal((D, 3 * D)), rng.standard_normal(3 * D)
    qkv = x @ weight + bias
    right, _ = attend(qkv, TokenBatch([[0] * T]), H)
    ROOT = "every head looks at all tokens too evenly: its scores are sqrt(3) times too small with 3 heads"
    MERGE = "row 0 belongs to token 0 and has numbers of tokens 0, 1 and 2, all from head 0"
    same_array(
        right,
        exercise.many_heads(x, weight, bias, H),
        "many_heads(x, W, b, 3)",
        [
            (by_hand(qkv, H, D, merged=False), f"two mistakes are left: {ROOT}; and {MERGE}"),
            (by_hand(qkv, H, D // H, merged=False), f"one mistake is left: {MERGE}"),
            (by_hand(qkv, H, D, merged=True), f"one mistake is left: {ROOT}"),
            (by_hand(qkv, H, T, merged=True), "the root is of K = D / H, not of T or H"),
            (by_hand(qkv, H, H, merged=True), "the root is of K = D / H, not of H"),
            (
                by_hand(qkv, H, D // H, merged=True).reshape(T, H, D // H).transpose(1, 2, 0).reshape(T, D),
                "z is (H, T, K): the axes that must change places are the first two",
            ),
            (
                by_hand(qkv, H, D // H, merged=True, causal=False),
                "the triangle is gone: tokens see the future",
            ),
        ],
    )


def by_hand(qkv, H, width, merged, causal=True):
    T, D = len(qkv), qkv.shape[1] // 3
    q, k, v = (part.reshape(T, H, D // H).transpose(1, 0, 2) for part in np.split(qkv, 3, axis=1))
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(width)
    z = softmax(np.where(np.tri(T, dtype=bool) | (not causal), scores, -np.inf))[0] @ v
    return (z.transpose(1, 0, 2) if merged else z).reshape(T, D)
