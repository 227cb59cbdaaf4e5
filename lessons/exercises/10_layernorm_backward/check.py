"""Finite differences in float64, then training with the learner's function in the model."""

from types import ModuleType

import numpy as np

from minigpt2.gradcheck import check_gradient
from minigpt2.layers import layernorm, layernorm_backward
from minigpt2.learn.checking import same_array, several
from minigpt2.learn.installing import trains_as_before


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(2)
    x, gain, bias = rng.standard_normal((3, 5)), 1.0 + rng.random(5), rng.standard_normal(5)
    dy = rng.standard_normal((3, 5))
    _, ctx = layernorm(x, gain, bias)
    check_gradient("layernorm", layernorm, layernorm_backward, {"x": x, "gain": gain, "bias": bias})
    right = layernorm_backward(dy, ctx)
    dx, dgain, dbias = several(exercise.layernorm_backward(dy, ctx), "dx, dgain, dbias", "layernorm_backward")

    x_hat = (x - ctx.mean) * ctx.rstd
    dx_hat = dy * gain
    shift, stretch = dx_hat.mean(axis=1, keepdims=True), (dx_hat * x_hat).mean(axis=1, keepdims=True)
    same_array(
        right[2],
        dbias,
        "dbias",
        [(dy.mean(axis=0), "the rows' gradients add up: sum, not mean"), (dy, NOT_SUMMED)],
    )
    same_array(
        right[1],
        dgain,
        "dgain",
        [
            ((dy * x).sum(axis=0), "gain multiplies x̂, not x: rebuild x̂ from ctx.mean and ctx.rstd"),
            (dy.sum(axis=0), "gain multiplies x̂, so its gradient is dy · x̂, summed over the rows"),
            (dy * x_hat, NOT_SUMMED),
        ],
    )
    without_gain = dy - dy.mean(axis=1, keepdims=True) - x_hat * (dy * x_hat).mean(axis=1, keepdims=True)
    same_array(
        right[0],
        dx,
        "dx",
        [
            (dx_hat * ctx.rstd, "mean and rstd depend on x, too: two terms are missing"),
            ((dx_hat - shift) * ctx.rstd, "the term of the variance is missing: − x̂ · mean(dx̂ · x̂)"),
            ((dx_hat - x_hat * stretch) * ctx.rstd, "the term of the mean is missing: − mean(dx̂)"),
            (dx_hat - shift - x_hat * stretch, "the factor rstd is missing"),
            (without_gain * ctx.rstd, "gain is missing: start from dx̂ = dy · gain"),
            (
                lambda yours: np.allclose(yours, axis_0(dx_hat, x_hat, ctx)),
                "the means go over each row: axis=1",
            ),
        ],
    )
    trains_as_before("layernorm", backward=exercise.layernorm_backward)


NOT_SUMMED = "all N rows share it: sum over axis 0"


def axis_0(dx_hat, x_hat, ctx):
    return (dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)) * ctx.rstd
