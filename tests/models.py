"""Tiny models for tests: all sizes different, every parameter random and none of them zero."""

import numpy as np

from minigpt2.config import GPT2Config
from minigpt2.model import GPT2
from minigpt2.parameters import Parameters

TINY = GPT2Config(vocab_size=11, n_positions=41, n_embd=6, n_layer=3, n_head=2, n_inner=10)

SENTENCES = {
    "scattered": [[3], [1, 7, 1, 10], [], [0], [5]],
    "adjacent": [[4, 4, 2], [9, 0, 4], [8]],
    "one token": [[6]],
    "unequal": [[2], [7, 3], [(7 * t) % 11 for t in range(40)]],
}


def random_parameters(config, seed=0, scale=0.4):
    """float64 on the host: gains about 1, biases about 0, weights large enough that every layer matters"""
    parameters = Parameters.empty(config, np, np.float64)
    rng = np.random.default_rng(seed)
    parameters.flat[:] = scale * rng.standard_normal(parameters.flat.shape)
    for name, view in parameters.items():
        if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")):
            view += 1.0
    return parameters


def random_model(config=TINY, xp=np, dtype=np.float64, seed=0, scale=0.4):
    return GPT2(config, random_parameters(config, seed, scale).to(xp, dtype))
