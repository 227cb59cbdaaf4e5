"""Record what a tiny model does: every activation, the loss and every gradient, in float64.

    python tests/golden/record.py

writes `model.npz` beside this file. Run it only when the model is meant to compute something else than
before; `tests/test_golden.py` compares every later version with the file. Nothing is drawn at random here
but the parameters, which the file holds too.
"""

import sys
from pathlib import Path

import numpy as np

from minigpt2.backend import to_numpy
from minigpt2.config import GPT2Config
from minigpt2.layers import POOLINGS, normalize, normalize_backward, pooling, pooling_backward
from minigpt2.model import GPT2
from minigpt2.parameters import Parameters, parameter_shapes
from minigpt2.ragged import TokenBatch

FILE = Path(__file__).parent / "model.npz"

CONFIG = GPT2Config(vocab_size=11, n_positions=8, n_embd=6, n_layer=2, n_head=2, n_inner=10)
SENTENCES = [[3], [1, 7, 1, 10], [], [0], [9, 2, 2, 8, 4, 6, 5, 1], [5, 3]]


def draw_parameters():
    """(P,) float64: gains about 1, everything else about 0, nothing zero"""
    parameters = Parameters.empty(CONFIG, np, np.float64)
    rng = np.random.Generator(np.random.PCG64(2019))
    for name, view in parameters.items():
        view[...] = 0.4 * rng.standard_normal(view.shape) + ("ln_" in name and name.endswith("weight"))
    return parameters.flat


def run(flat, xp, dtype):
    """Parameters (P,) -> name -> array on the host: what the file holds, computed now"""
    model = GPT2(CONFIG, Parameters(xp.asarray(flat, dtype=dtype), parameter_shapes(CONFIG)))
    batch = TokenBatch(SENTENCES, xp)
    seen = {}

    hidden, cache = model.run_with_cache(batch)
    for name, value in cache.items():
        if isinstance(value, list):
            seen |= {f"activation {name} of sentence {b}": array for b, array in enumerate(value)}
        else:
            seen[f"activation {name}"] = value
    seen["logits"] = model.logits(hidden)[0]

    loss, ctx = model.loss(batch, keep=True)
    gradients = model.parameters.zeros_like()
    model.loss_backward(ctx, gradients)
    seen["loss"] = loss
    seen |= {f"gradient of the loss, {name}": gradient for name, gradient in gradients.items()}

    for kind in POOLINGS:
        hidden, ctx = model.forward(batch, keep=True)
        pooled, pooling_ctx = pooling(hidden, batch, kind)  # (B, D)
        vectors, normalize_ctx = normalize(pooled)  # (B, D)
        w = xp.cos(xp.arange(vectors.size, dtype=dtype)).reshape(vectors.shape)  # (B, D)
        gradients = model.parameters.zeros_like()
        model.backward(pooling_backward(normalize_backward(w, normalize_ctx), pooling_ctx), ctx, gradients)
        seen[f"{kind} pooled"] = pooled
        seen[f"{kind} vectors"] = vectors
        seen |= {f"gradient through {kind}, {name}": gradient for name, gradient in gradients.items()}
    return {name: to_numpy(array) for name, array in seen.items()}


def record(file):
    flat = draw_parameters()
    np.savez_compressed(file, parameters=flat, **run(flat, np, np.float64))


if __name__ == "__main__":
    record(FILE)
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes", file=sys.stderr)
