"""The package's layernorm, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import layernorm
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(10)
    x, gain, bias = 2.0 + rng.standard_normal((4, 5)), 1.0 + rng.random(5), rng.standard_normal(5)
    x[3] *= 0.01  # a small row, where eps counts
    yours = exercise.layernorm(x, gain, bias)

    def by(axis=1, ddof=0, inside=1e-5, outside=0.0):
        var = x.var(axis=axis, ddof=ddof, keepdims=True)
        return (x - x.mean(axis=axis, keepdims=True)) / (np.sqrt(var + inside) + outside)

    same_array(
        layernorm(x, gain, bias)[0],
        yours,
        "layernorm(x, gain, bias)",
        [
            (by(axis=0) * gain + bias, "every column is normalised; layernorm does it to every row: axis=1"),
            (
                by(axis=None) * gain + bias,
                "mean and variance are those of the whole array: each row has its own, axis=1",
            ),
            (
                by(ddof=1) * gain + bias,
                "the variance is divided by D − 1; it is the plain mean of the squares, ddof=0",
            ),
            (
                by(inside=0.0, outside=1e-5) * gain + bias,
                "eps is added to the root; it stands under it: sqrt(var + eps)",
            ),
            (by(inside=0.0) * gain + bias, "eps is missing"),
            (by(), "gain and bias are missing"),
            (by() * gain, "bias is missing"),
            ((by() + bias) * gain, "bias comes last: scale first, then shift"),
            (
                by() * np.sqrt(x.var(axis=1, keepdims=True) + 1e-5) * gain + bias,
                "the division by the standard deviation is missing",
            ),
            (
                x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5) * gain + bias,
                "the mean is not taken away: this is RMS normalisation",
            ),
            (
                by() / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5) * gain + bias,
                "you divide by the variance; divide by its root",
            ),
        ],
    )
    same_array(
        layernorm(x, gain, bias, 0.5)[0],
        exercise.layernorm(x, gain, bias, 0.5),
        "layernorm(x, gain, bias, eps = 0.5)",
        [(layernorm(x, gain, bias)[0], "eps is handed in: use it, not 1e-5")],
    )
    flat = exercise.layernorm(np.full((1, 5), 3.0), gain, bias)
    same_array(bias[None], flat, "layernorm of a row of equal entries")
