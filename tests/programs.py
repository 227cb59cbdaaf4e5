"""The program as a process of its own: the environment that it runs in, and a tiny model for it."""

import os
from pathlib import Path

from minigpt2.config import GPT2Config
from minigpt2.model_directory import EmbeddingSettings, write_model_directory
from minigpt2.parameters import Parameters
from minigpt2.tokenizer import ByteTokenizer

ROOT = Path(__file__).parents[1]
D, WINDOW = 24, 40


def write_tiny_model(path, **settings):
    """A random GPT-2 of two blocks over bytes: enough to run everything, too small to mean anything."""
    tokenizer = ByteTokenizer()
    config = GPT2Config(vocab_size=tokenizer.vocab_size, n_positions=WINDOW, n_embd=D, n_layer=2, n_head=3)
    parameters = Parameters.initialise(config, seed=3)
    parameters.flat *= 5.0  # far enough from zero that texts differ clearly
    return write_model_directory(path, config, parameters, tokenizer, EmbeddingSettings(**settings))


def environment(**changes):
    """The environment of a real run: this package first, no colours forced, as few threads as it takes."""
    names = ("LC_", "LANG", "PYTHONIO")
    values = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return values | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | changes
