"""Another right way."""

import copy

import numpy as np


class Run:
    def __init__(self, seed, size=4):
        self.rng = np.random.default_rng(seed)
        self.theta = np.zeros(size)
        self.m, self.v = np.zeros(size), np.zeros(size)
        self.step = 0

    def train(self, steps):
        for _ in range(steps):
            g = self.theta - 3.0 + self.rng.standard_normal(self.theta.shape)
            self.step += 1
            self.m *= 0.9
            self.m += 0.1 * g
            self.v *= 0.98
            self.v += 0.02 * g * g
            m_hat, v_hat = self.m / (1 - 0.9**self.step), self.v / (1 - 0.98**self.step)
            self.theta -= 0.5 / self.step * m_hat / (np.sqrt(v_hat) + 1e-8)

    def save(self):
        return copy.deepcopy(self.__dict__)

    def load(self, checkpoint):
        self.__dict__.update(copy.deepcopy(checkpoint))
