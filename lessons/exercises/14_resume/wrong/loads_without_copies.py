# expect: the first run has changed the checkpoint's own arrays
import copy
from typing import Any

import numpy as np


class Run:
    """A tiny training: noisy gradients, Adam with momentum, a rate that falls with the step."""

    def __init__(self, seed: int, size: int = 4) -> None:
        self.rng = np.random.default_rng(seed)
        self.theta = np.zeros(size)
        self.m, self.v = np.zeros(size), np.zeros(size)
        self.step = 0

    def train(self, steps: int) -> None:
        """So many steps more, in place."""
        for _ in range(steps):
            g = self.theta - 3.0 + self.rng.standard_normal(self.theta.shape)
            self.step += 1
            self.m *= 0.9
            self.m += 0.1 * g
            self.v *= 0.98
            self.v += 0.02 * g * g
            m_hat, v_hat = self.m / (1 - 0.9**self.step), self.v / (1 - 0.98**self.step)
            self.theta -= 0.5 / self.step * m_hat / (np.sqrt(v_hat) + 1e-8)

    def save(self) -> dict[str, Any]:
        """Everything that the next step needs, copied."""
        return {
            "theta": self.theta.copy(),
            "step": self.step,
            "m": self.m.copy(),
            "v": self.v.copy(),
            "rng": copy.deepcopy(self.rng.bit_generator.state),
        }

    def load(self, checkpoint: dict[str, Any]) -> None:
        """Go on where `save` was called."""
        self.theta = checkpoint["theta"].copy()
        self.step = checkpoint["step"]
        self.m, self.v = checkpoint["m"], checkpoint["v"]
        self.rng.bit_generator.state = checkpoint["rng"]
