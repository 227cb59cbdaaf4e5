"""The package's backward, which is checked by finite differences, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import softmax
from minigpt2.learn.checking import same_array, several
from minigpt2.training.losses import info_nce, info_nce_backward


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(32)
    for M, D in ((4, 4), (3, 5)):  # square first, so that a transpose too many gives no error
        compare(exercise, *rng.standard_normal((2, M, D)), 0.3)


def compare(exercise: ModuleType, a: np.ndarray, b: np.ndarray, tau: float) -> None:
    M = len(a)
    _, ctx = info_nce(a, b, temperature=tau, symmetric=False)
    da, db, _ = info_nce_backward(1.0, ctx)
    mine = several(exercise.info_nce_gradient(a, b, tau), "da, db", "info_nce_gradient")
    p = softmax(a @ b.T / tau)[0]
    columns = softmax((a @ b.T / tau).T)[0].T
    for name, right, yours, product in (
        ("da", da, mine[0], lambda d: d @ b),
        ("db", db, mine[1], lambda d: d.T @ a),
    ):
        same_array(
            right,
            yours,
            name,
            [
                (right * tau, "the scores are divided by τ, so the gradient is, too: 1/τ is missing"),
                (right * tau * tau, "the temperature divides on the way back as well: do not multiply by it"),
                (right * M, "the loss is a mean over M rows: 1/M is missing"),
                (right * M * tau, "1/τ and 1/M are missing"),
                (
                    product(p) / M / tau,
                    "the identity is missing: what belongs together is pulled, softmax − I",
                ),
                (db if name == "da" else da, "da and db are exchanged"),
                (-right, "the sign: softmax − I, not I − softmax"),
                (
                    product(columns - np.eye(M)) / M / tau,
                    "softmax goes over each row, axis=1: the candidates of one a",
                ),
                (
                    (p - np.eye(M)).T @ b / M / tau if name == "da" else (p - np.eye(M)) @ a / M / tau,
                    "a transpose: a_i meets row i of the scores, b_j meets column j",
                ),
            ],
        )
