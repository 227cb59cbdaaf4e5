"""The package's optimizer over several steps, and what typical mistakes would give in each."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import same_array, several
from minigpt2.parameters import Parameters
from minigpt2.training.optimizer import AdamW

BETA1, BETA2, EPS, DECAY = 0.9, 0.98, 1e-8, 0.3
LR = 0.1


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(40)
    theta = rng.standard_normal(6)
    parameters = Parameters(theta.copy(), {"w": (2, 3)})
    optimizer = AdamW(parameters, (BETA1, BETA2), EPS, DECAY)
    m, v = np.zeros(6), np.zeros(6)
    for t in (1, 2, 3, 4):
        g = rng.standard_normal(6) * 10.0 ** rng.integers(-3, 2, 6)
        mine = several(
            exercise.adamw(theta, m, v, g, t, LR, (BETA1, BETA2), EPS, DECAY), "theta, m, v", "adamw"
        )
        optimizer.step(Parameters(g, {"w": (2, 3)}), LR)
        right_m, right_v = optimizer.m.flat, optimizer.v.flat
        if t == 1:  # from zero some mistakes look like others: begin with the second step
            theta, m, v = parameters.flat.copy(), right_m.copy(), right_v.copy()
            continue
        same_array(
            right_m,
            mine[1],
            f"m after step {t}",
            [
                (m + (1 - BETA1) * g, "m is not faded: β1·m"),
                (BETA1 * m + g, "the new gradient counts by 1 − β1"),
                (right_m / (1 - BETA1**t), "m is kept without the correction; m̂ is for this step alone"),
                (BETA2 * m + (1 - BETA2) * g, "β1 belongs to m, β2 to v"),
                (BETA1 * m + (1 - BETA1) * (g + DECAY * theta), L2),
            ],
        )
        same_array(
            right_v,
            mine[2],
            f"v after step {t}",
            [
                (BETA2 * v + (1 - BETA2) * g, "v is the mean of the SQUARES of the gradient"),
                (BETA2 * v + g * g, "the new square counts by 1 − β2"),
                (right_v / (1 - BETA2**t), "v is kept without the correction; v̂ is for this step alone"),
                (BETA1 * v + (1 - BETA1) * g * g, "β1 belongs to m, β2 to v"),
                (BETA2 * v + (1 - BETA2) * np.abs(g), "g² and not |g|"),
            ],
        )
        a, b = right_m / (1 - BETA1**t), right_v / (1 - BETA2**t)
        faded = theta * (1 - LR * DECAY)
        step = LR * a / (np.sqrt(b) + EPS)
        same_array(
            parameters.flat,
            mine[0],
            f"theta after step {t}",
            [
                (
                    faded - LR * right_m / (np.sqrt(right_v) + EPS),
                    "the correction of the start is missing: m̂ = m/(1 − β1ᵗ), v̂ = v/(1 − β2ᵗ)",
                ),
                (
                    faded
                    - LR
                    * right_m
                    / (1 - BETA1 ** (t + 1))
                    / (np.sqrt(right_v / (1 - BETA2 ** (t + 1))) + EPS),
                    "t counts from 1 and is handed in: do not add 1",
                ),
                (faded - LR * a / (b + EPS), "sqrt(v̂): the root is missing"),
                (faded - LR * a / np.sqrt(b + EPS), "eps stands outside the root: sqrt(v̂) + eps"),
                (theta - step, "the weight decay is missing"),
                (theta * (1 - DECAY) - step, "the decay goes with the learning rate: 1 − lr · decay"),
                (theta + step - LR * DECAY * theta, "the sign: down the gradient"),
                (faded + step, "the sign: down the gradient"),
                ((theta - step) * (1 - LR * DECAY), "the decay comes first, on the old parameter"),
            ],
        )
        theta, m, v = parameters.flat.copy(), right_m.copy(), right_v.copy()
    ones = np.ones(2)
    second = exercise.adamw(3.0 * ones, 1.0 * ones, 2.0 * ones, 0.5 * ones, 3, 0.1)
    for name, right, yours in zip(("m", "v"), (0.95, 1.965), second[1:], strict=True):
        same_array(right * ones, yours, f"{name} with betas as they are by default")
    usual = exercise.adamw(3.0 * ones, 0.0 * ones, 0.0 * ones, 1e-7 * ones, 1, 0.5)[0]
    same_array(
        (3.0 * (1 - 0.5 * 0.01) - 0.5 / 1.1) * ones,
        usual,
        "theta with betas, eps and decay as they are by default",
    )


L2 = "the decay goes through the gradient (L2): AdamW lets it act on the parameter itself"
