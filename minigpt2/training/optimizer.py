"""AdamW over the flat parameter array, its learning-rate schedule, and gradient clipping.

    m ← β1·m + (1 − β1)·g                 a running mean of the gradient
    v ← β2·v + (1 − β2)·g²                and of its square
    m̂ = m / (1 − β1ᵗ),  v̂ = v / (1 − β2ᵗ)  undo the start at zero
    θ ← θ − lr · (m̂ / (sqrt(v̂) + eps) + decay·θ)

Kingma, Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2: the
decay acts on the parameter itself, not through the gradient. Only matrices decay: pulling a gain or a bias
towards zero would fight the layernorms.
"""

import math

import numpy as np

from ..backend import Array, array_module, asarray
from ..parameters import Parameters


class AdamW:
    """The two moments of every parameter, in arrays laid out like the parameters."""

    def __init__(
        self,
        parameters: Parameters,
        betas: tuple[float, float] = (0.9, 0.98),
        eps: float = 1e-8,
        decay: float = 0.01,
    ) -> None:
        self.parameters = parameters
        self.betas, self.eps, self.decay = betas, eps, decay
        self.m, self.v = parameters.zeros_like(), parameters.zeros_like()
        self.t = 0
        self.decays = _decay_mask(parameters)  # (P,) 1 for entries of matrices, 0 for gains and biases

    def step(self, gradients: Parameters, lr: float) -> None:
        """Move the parameters by one step along `gradients`, in place."""
        xp = array_module(gradients.flat)
        beta1, beta2 = self.betas
        g, m, v, theta = gradients.flat, self.m.flat, self.v.flat, self.parameters.flat  # each (P,)
        self.t += 1
        m *= beta1
        m += (1.0 - beta1) * g
        v *= beta2
        v += (1.0 - beta2) * (g * g)
        m_hat = m / (1.0 - beta1**self.t)  # (P,)
        v_hat = v / (1.0 - beta2**self.t)  # (P,)
        theta -= lr * (m_hat / (xp.sqrt(v_hat) + self.eps) + self.decay * self.decays * theta)


def clip_gradients(gradients: Parameters, largest: float) -> Array:
    """Scale all gradients together so that their joint length is at most `largest`; returns the old length.

    Pascanu et al. 2013, arXiv:1211.5063, algorithm 1. The length stays on the device: nothing waits for it.
    """
    xp = array_module(gradients.flat)
    norm = xp.sqrt(xp.dot(gradients.flat, gradients.flat))  # ()
    gradients.flat *= xp.minimum(1.0, largest / (norm + 1e-12))
    return norm


def warmup_cosine(step: int, steps: int, peak: float, warmup: int) -> float:
    """Learning rate at `step` of `steps`: straight up to `peak` over `warmup` steps, half a cosine to 0."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def _decay_mask(parameters: Parameters) -> Array:
    """(P,)"""
    parts = [np.full(math.prod(s), float(len(s) > 1)) for s in parameters.shapes.values()]
    return asarray(np.concatenate(parts), array_module(parameters.flat), parameters.flat.dtype)
