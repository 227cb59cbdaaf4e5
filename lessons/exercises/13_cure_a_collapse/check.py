"""The training, and the gauges after it."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.collapse import collapse_of
from minigpt2.gradcheck import GradientError, check_gradient
from minigpt2.layers import normalize, normalize_backward
from minigpt2.learn.checking import WrongAnswer, array, number, require, several

M, INNER, D = 32, 24, 12
STEPS, LR = 150, 0.3


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(0)
    topic, common = rng.standard_normal((M, INNER)), 2.0 * rng.standard_normal(INNER)
    features = [common + topic + 0.7 * rng.standard_normal((M, INNER)) for _ in range(2)]
    x = np.vstack(features)  # (2·M, in)
    weight = rng.standard_normal((INNER, D)) / np.sqrt(INNER)
    first = normalize(x @ weight)[0]
    require_gradient(exercise.loss, first)
    for _ in range(STEPS):
        y, ctx = normalize(x @ weight)
        _, da, db = of_loss(exercise.loss, y[:M], y[M:])
        weight = weight - LR * x.T @ normalize_backward(np.vstack([da, db]), ctx)
        require(
            np.isfinite(weight).all(),
            "the training has made numbers that are not finite",
            "is the gradient far too large?",
        )
    y, _ = normalize(x @ weight)
    gauge = collapse_of(y[:M])
    found = float(((y[:M] @ y[M:].T).argmax(axis=1) == np.arange(M)).mean())
    after = (
        f"mean cosine of different texts {gauge.mean_cosine:.2f}, effective rank "
        f"{gauge.effective_rank:.1f} of {D}, partners found {found:.0%}"
    )
    require(
        gauge.mean_cosine < 0.3,
        after,
        "still a collapse: nothing pushes different texts apart",
    )
    require(found >= 0.9, after, "texts are spread, but pairs are not together: something must pull, too")
    require(
        gauge.effective_rank >= 6,
        after,
        "few directions are in use: push all different texts apart, not one of them",
    )


def of_loss(loss, a, b):
    """What `loss` returns, if it is a number and two arrays of the shapes of a and b."""
    value, da, db = several(loss(a, b), "loss, da, db", "loss")
    return number(value, "loss"), array(da, "da", a.shape), array(db, "db", b.shape)


def require_gradient(loss, rows):
    """The gradients that `loss` returns are those of its value, along the sphere too."""

    def forward(a, b):
        value, *gradients = of_loss(loss, a, b)
        return np.array(value), gradients

    try:
        check_gradient(
            "loss",
            forward,
            lambda dy, ctx: tuple(dy * g for g in ctx),
            {"a": rows[:5], "b": rows[5:10]},
            tolerance=1e-5,
        )
    except GradientError as error:
        raise WrongAnswer(
            str(error), reason="da and db are not the gradients of the loss that you return"
        ) from None
