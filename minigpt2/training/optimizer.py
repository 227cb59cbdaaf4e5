"""AdamW over the flat parameter array, and gradient clipping.

    θ ← θ · (1 − lr · decay)               matrices only
    m ← β1·m + (1 − β1)·g                  a running mean of the gradient
    v ← β2·v + (1 − β2)·g²                 and of its square
    m̂ = m / (1 − β1ᵗ),  v̂ = v / (1 − β2ᵗ)   undo the start at zero
    θ ← θ − lr · m̂ / (sqrt(v̂) + eps)

Kingma, Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2: the
decay acts on the parameter itself, not through the gradient. It goes with the learning rate and comes first,
as in torch.optim.AdamW, whose steps these are. Only matrices decay: pulling a gain or a bias towards zero
would fight the layernorms.
"""

import math
from typing import NamedTuple

import numpy as np

from ..backend import Array, array_module
from ..errors import UsageError
from ..kernels import blas
from ..kernels.buffers import empty
from ..kernels.rows import blocks, for_each
from ..parameters import Parameters

# A step works through the flat arrays part by part, so that what it makes on the way stays in the cache of a
# CPU (9 M numbers in 13 ms instead of 45) and small in the memory of a GPU. The numbers do not depend on it.
PART_ON_CPU = 1 << 16
PART_ON_GPU = 1 << 24


class DecayCounts(NamedTuple):
    """How many tensors and numbers the weight decay pulls towards zero, and how many it leaves alone."""

    decay: float
    decaying_tensors: int
    decaying_numbers: int
    other_tensors: int
    other_numbers: int

    def __str__(self) -> str:
        return (
            f"weight decay {self.decay:g} on {self.decaying_tensors} matrices ({self.decaying_numbers:,} "
            f"numbers), none on {self.other_tensors} vectors ({self.other_numbers:,} numbers)"
        )


class AdamW:
    """The two moments of every parameter, in arrays laid out like the parameters.

    `t`, `m.flat` and `v.flat` are the whole state: a checkpoint holds these three, and to resume is to set
    `t` and to write into the two arrays (`optimizer.m.flat[:] = …`).
    """

    def __init__(
        self,
        parameters: Parameters,
        betas: tuple[float, float] = (0.9, 0.98),
        eps: float = 1e-8,
        decay: float = 0.01,
    ) -> None:
        """`step` will move `parameters` in place. Raises UsageError for betas outside 0 … 1, eps not above 0
        or a decay below 0.
        """
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise UsageError(f"betas are {betas}: each must be at least 0 and less than 1")
        if not (eps > 0.0 and decay >= 0.0):
            raise UsageError(f"eps is {eps} and decay {decay}: give eps above 0, decay 0 or above")
        self.parameters = parameters
        self.betas, self.eps, self.decay = betas, eps, decay
        self.m, self.v = parameters.zeros_like(), parameters.zeros_like()
        self.t = 0

    @property
    def decay_counts(self) -> DecayCounts:
        """What decays and what does not; prints as one line."""
        shapes = self.parameters.shapes.values()
        decaying = [math.prod(shape) for shape in shapes if _decays(shape)]
        others = [math.prod(shape) for shape in shapes if not _decays(shape)]
        return DecayCounts(self.decay, len(decaying), sum(decaying), len(others), sum(others))

    def step(self, gradients: Parameters, lr: float) -> None:
        """Move the parameters by one step along `gradients`, in place; `gradients` stay as they are."""
        xp = array_module(gradients.flat)
        beta1, beta2 = self.betas
        self.t += 1
        unbias_m = 1.0 / (1.0 - beta1**self.t)
        unbias_v = 1.0 / (1.0 - beta2**self.t)

        matrices = self._matrices()

        def move(part: slice) -> None:
            theta = self.parameters.flat[part]  # (p,)
            g, m, v = gradients.flat[part], self.m.flat[part], self.v.flat[part]  # (p,) each
            s = empty(g.shape) if xp is np and g.dtype == np.float32 else xp.empty_like(g)  # (p,)

            for start, stop in matrices:
                if start < part.stop and part.start < stop:
                    theta[max(0, start - part.start) : stop - part.start] *= 1.0 - lr * self.decay

            m *= beta1
            m += xp.multiply(g, 1.0 - beta1, out=s)  # β1·m + (1 − β1)·g
            v *= beta2
            xp.multiply(g, g, out=s)
            s *= 1.0 - beta2
            v += s  # β2·v + (1 − β2)·g²

            xp.sqrt(v, out=s)
            s *= math.sqrt(unbias_v)
            s += self.eps  # sqrt(v̂) + eps
            xp.divide(m, s, out=s)
            s *= lr * unbias_m  # lr · m̂ / (sqrt(v̂) + eps)
            theta -= s

        parts = blocks(gradients.flat.size, PART_ON_CPU if xp is np else PART_ON_GPU)
        if xp is np:
            for_each(move, parts)
        else:
            for part in parts:
                move(part)

    def _matrices(self) -> list[tuple[int, int]]:
        """Where the tensors that decay begin and end in the flat array, neighbours taken together"""
        runs: list[tuple[int, int]] = []
        start = 0
        for shape in self.parameters.shapes.values():
            stop = start + math.prod(shape)
            if _decays(shape):
                joins = runs and runs[-1][1] == start
                runs[-1:] = [(runs[-1][0], stop)] if joins else [*runs[-1:], (start, stop)]
            start = stop
        return runs


def gradient_norm(gradients: Parameters) -> Array:
    """The joint length of all gradients, shape (), on their device."""
    xp = array_module(gradients.flat)
    with blas.at_rest(gradients.flat):
        return xp.sqrt(xp.dot(gradients.flat, gradients.flat))


def clip_gradients(gradients: Parameters, largest: float) -> Array:
    """Scale all gradients together so that their joint length is at most `largest`; returns the old length.

    Pascanu et al. 2013, arXiv:1211.5063, algorithm 1. The length stays on the device: nothing waits for it.
    """
    xp = array_module(gradients.flat)
    norm = gradient_norm(gradients)  # ()
    gradients.flat *= xp.minimum(1.0, largest / (norm + 1e-12))
    return norm


def _decays(shape: tuple[int, ...]) -> bool:
    return len(shape) > 1
