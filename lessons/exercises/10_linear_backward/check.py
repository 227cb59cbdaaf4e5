"""Sums written out, then training with the learner's function in the model."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array, several
from minigpt2.learn.installing import trains_as_before


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(20)
    N, inner, outer = 3, 4, 4  # square, so that a transpose too many gives no error
    x, weight, dy = (
        rng.standard_normal((N, inner)),
        rng.standard_normal((inner, outer)),
        rng.standard_normal((N, outer)),
    )
    dx, dweight, dbias = several(
        exercise.linear_backward(dy, x, weight), "dx, dweight, dbias", "linear_backward"
    )
    right = np.array(
        [[sum(dy[n, j] * weight[i, j] for j in range(outer)) for i in range(inner)] for n in range(N)]
    )
    same_array(
        right,
        dx,
        "dx",
        [
            (dy @ weight, "dx[n, i] = Σ_j dy[n, j] · W[i, j] runs over W's columns: dy @ W.T"),
            (x.T @ dy, "dx and dweight are exchanged: dx comes first"),
            (x @ weight, "this is forward again: dx comes from dy"),
        ],
    )
    right = np.array(
        [[sum(dy[n, j] * x[n, i] for n in range(N)) for j in range(outer)] for i in range(inner)]
    )
    same_array(
        right,
        dweight,
        "dweight",
        [
            (right.T, "the axes are exchanged: dweight has the layout of W, (in, out): x.T @ dy"),
            (right / N, "the rows add up: no mean"),
        ],
    )
    right = np.array([sum(dy[n, j] for n in range(N)) for j in range(outer)])
    same_array(
        right,
        dbias,
        "dbias",
        [
            (right / N, "the rows' gradients add up: sum, not mean"),
            (dy, "all rows share one bias: sum over axis 0"),
            (dy.sum(axis=1)[:, None], "the sum is over the rows, axis 0"),
        ],
    )
    trains_as_before("linear", backward=lambda dy, ctx: exercise.linear_backward(dy, ctx.x, ctx.weight))
