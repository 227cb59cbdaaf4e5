"""The package's loss, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import normalize
from minigpt2.learn.checking import same_array
from minigpt2.training.losses import contrastive


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(30)
    a, b = (normalize(rng.standard_normal((6, 3)))[0] for _ in range(2))
    y = np.array([1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    b[1] = a[1]  # labelled 0 and in one place
    for margin in (0.5, 0.9):
        c = (a * b).sum(axis=1)
        d = 1.0 - c

        def form(y=y, d=d, margin=margin, half=0.5, power=2, hinge=np.maximum):
            return half * (y * d**power + (1 - y) * hinge(0.0, margin - d) ** power).mean()

        right = contrastive(a, b, y, margin)[0]
        same_array(
            right,
            exercise.contrastive(a, b, y, margin),
            f"contrastive(a, b, y, {margin})",
            [
                (form(half=1.0), "the factor ½ is missing"),
                (form(y=1 - y), "the labels are turned round: 1 is a pair that belongs together"),
                (form(d=c), "this takes the cosine for the distance: d = 1 − a · b"),
                (
                    form(hinge=lambda zero, x: x),
                    "max(0, …) is missing: what is far enough apart must cost nothing",
                ),
                (form(power=1), "both terms are squared"),
                (right * len(y), "the mean over the pairs is asked for, not the sum"),
                (0.5 * (y * d * d).mean(), "the pairs labelled 0 are missing"),
                (
                    form(d=np.sqrt(np.maximum(0, 2 * d))),
                    "this is the Euclidean distance; here it is the cosine distance 1 − a · b",
                ),
            ],
        )
        near = np.maximum(0.0, margin - d)
        same_array(
            -(y * d - (1 - y) * near) / 6,
            exercise.slope(a, b, y, margin),
            f"slope(a, b, y, {margin})",
            [
                (
                    (y * d - (1 - y) * near) / 6,
                    "this is the slope in d; the cosine goes the other way, d = 1 − cosine",
                ),
                (-(y * d - (1 - y) * near), "the mean: divide by the number of pairs"),
                (-(y * d + (1 - y) * near) / 6, "margin − d falls with d: its term has the other sign"),
                (-(y * d - (1 - y) * (margin - d)) / 6, "beyond the margin the slope is 0"),
            ],
        )
