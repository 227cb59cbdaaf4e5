"""Finite differences, then every head of every sentence in a training model."""

import math
from types import ModuleType

import numpy as np

from minigpt2.backend import array_module
from minigpt2.gradcheck import GradientError, check_gradient
from minigpt2.layers import softmax
from minigpt2.layers.attention import heads_of_groups, merge_heads, split_heads
from minigpt2.learn.checking import WrongAnswer, same_array, several
from minigpt2.learn.installing import trains_as_before


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(22)
    for T, K in ((4, 4), (5, 3)):  # square first, so that a transpose too many gives no error
        compare(exercise, *rng.standard_normal((4, T, K)))
    q, k, v = rng.standard_normal((3, 4, 3))
    try:
        check_gradient(
            "attention",
            forward,
            lambda dz, ctx: exercise.attention_backward(dz, *ctx),
            {"q": q, "k": k, "v": v},
        )
    except GradientError as error:
        raise WrongAnswer(str(error)) from None

    def attend_backward(dz, ctx):
        dqkv = array_module(dz).empty_like(ctx.qkv)
        groups = heads_of_groups(ctx.qkv, ctx.batch, ctx.heads)
        for (group, q, k, v), softmax_ctx in zip(groups, ctx.softmaxes, strict=True):
            back = split_heads(dz[group.rows], group, ctx.heads)
            gradients = np.empty((3, *q.shape))
            for n in range(group.n):
                for h in range(ctx.heads):
                    one = (back[n, h], q[n, h], k[n, h], v[n, h], softmax_ctx.y[n, h])
                    gradients[:, n, h] = exercise.attention_backward(*one)
            dqkv[group.rows] = np.concatenate([merge_heads(g) for g in gradients], axis=1)
        return dqkv

    trains_as_before("attend", backward=attend_backward)


def forward(q, k, v):
    scores = np.where(np.tri(len(q), dtype=bool), q @ k.T / math.sqrt(q.shape[1]), -np.inf)
    pattern, _ = softmax(scores)
    return pattern @ v, (q, k, v, pattern)


def compare(exercise: ModuleType, q: np.ndarray, k: np.ndarray, v: np.ndarray, dz: np.ndarray) -> None:
    T, K = q.shape
    root = math.sqrt(K)
    _, (*_, pattern) = forward(q, k, v)
    dv = pattern.T @ dz
    dpattern = dz @ v.T
    average = (dpattern * pattern).sum(axis=1, keepdims=True)
    dscores = pattern * (dpattern - average)
    dq, dk = dscores @ k / root, dscores.T @ q / root
    mine = several(exercise.attention_backward(dz, q, k, v, pattern), "dq, dk, dv", "attention_backward")
    same_array(
        dv,
        mine[2],
        "dv",
        [
            (
                pattern @ dz,
                "z_i = Σ_j pattern_ij v_j, so v_j hears of the z that it went into: pattern.T @ dz",
            ),
            (dz, "each value goes into several z, by its weight: pattern.T @ dz"),
        ],
    )
    transposed = pattern * (dpattern.T - (dpattern.T * pattern).sum(axis=1, keepdims=True))
    columns = pattern * (dpattern - (dpattern * pattern).sum(axis=0, keepdims=True))
    for name, right, yours, product in (
        ("dq", dq, mine[0], lambda d: d @ k),
        ("dk", dk, mine[1], lambda d: d.T @ q),
    ):
        other = mine[1] if name == "dq" else mine[0]
        same_array(
            right,
            yours,
            name,
            [
                (right * root, "the division by sqrt(K) has a backward, too: it is missing"),
                (right / root, "the division by sqrt(K) is done twice"),
                (right * root / math.sqrt(T), "you divide by sqrt(T); K is the width of a key"),
                (product(dpattern) / root, "softmax's backward is missing between dpattern and dscores"),
                (product(pattern * dpattern) / root, "softmax's backward lacks its sum: y · (dy − Σ dy · y)"),
                (
                    product(columns) / root,
                    "softmax goes over each row of the pattern: the sum is over axis=1",
                ),
                (product(transposed) / root, "dpattern is transposed: dz @ v.T"),
                (
                    dscores @ q / root if name == "dk" else dscores.T @ k / root,
                    "a transpose: q_i meets row i of the scores, k_j meets column j",
                ),
                (dk if name == "dq" else dq, "dq and dk are exchanged"),
            ],
        )
