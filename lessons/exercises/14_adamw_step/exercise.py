"""One step of AdamW, for one array of parameters.

    θ ← θ · (1 − lr · decay)               the decay, on the parameter itself, first
    m ← β1·m + (1 − β1)·g                  a running mean of the gradient
    v ← β2·v + (1 − β2)·g²                 and of its square
    m̂ = m / (1 − β1ᵗ),  v̂ = v / (1 − β2ᵗ)  undo the start at zero; t counts from 1
    θ ← θ − lr · m̂ / (sqrt(v̂) + eps)

`adamw(theta, m, v, g, t, lr)` returns new θ, m and v and changes none of its inputs. Kingma, Ba 2015,
arXiv:1412.6980, algorithm 1; Loshchilov, Hutter 2019, arXiv:1711.05101. The package:
`minigpt2/training/optimizer.py`, which does it in place, part by part.
"""

import numpy as np


def adamw(
    theta: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    g: np.ndarray,
    t: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.98),
    eps: float = 1e-8,
    decay: float = 0.01,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All (P,); t is 1 in the first step -> θ, m, v after the step"""
    raise NotImplementedError("your turn")
