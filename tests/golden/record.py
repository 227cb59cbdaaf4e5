"""Record what a tiny model does: every activation, the loss and every gradient; and how it learns.

    python tests/golden/record.py model         writes model.npz, in float64
    python tests/golden/record.py training      writes training.json, the losses of ten steps

beside this file. Run it only when the model, or training, is meant to compute something else than before;
`tests/test_golden.py` compares every later version with the files. Nothing is drawn at random here but the
parameters, which `model.npz` holds too and training starts from.

`train` is also the shortest whole training loop of this repository, from tokens to the optimizer's step; what
`minigpt2.training` adds to it is data, reports and checkpoints.
"""

import json
import sys
from pathlib import Path

import numpy as np

from minigpt2.backend import to_numpy
from minigpt2.config import GPT2Config
from minigpt2.layers import POOLINGS, normalize, normalize_backward, pooling, pooling_backward
from minigpt2.model import GPT2
from minigpt2.parameters import Parameters, parameter_shapes
from minigpt2.ragged import TokenBatch
from minigpt2.training.losses import info_nce, info_nce_backward
from minigpt2.training.optimizer import AdamW, clip_gradients
from minigpt2.training.schedule import warmup_cosine

FILE = Path(__file__).parent / "model.npz"
TRAINING_FILE = Path(__file__).parent / "training.json"

CONFIG = GPT2Config(vocab_size=11, n_positions=8, n_embd=6, n_layer=2, n_head=2, n_inner=10)
SENTENCES = [[3], [1, 7, 1, 10], [], [0], [9, 2, 2, 8, 4, 6, 5, 1], [5, 3]]

STEPS = 10
# Two batches of three pairs take turns; sentences that belong together differ in their last token.
PAIRS = [
    ([[3, 1], [1, 7, 1, 10], [9, 2, 2, 8, 4, 6, 5, 1]], [[3, 2], [1, 7, 1, 4], [9, 2, 2, 8, 4, 6, 5, 0]]),
    ([[8], [5, 3, 0], [6, 10, 4, 4, 7]], [[2], [5, 3, 9], [6, 10, 4, 4, 0]]),
]


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


def train(flat, xp, dtype):
    """Parameters (P,) -> the losses of STEPS steps, and the parameters after them (P,)

    The settings are such that the losses stay of the size of 1: a small temperature or large steps would
    magnify what rounding does differently from one CPU to the next.
    """
    model = GPT2(CONFIG, Parameters(xp.array(flat, dtype=dtype), parameter_shapes(CONFIG)))  # a copy
    gradients = model.parameters.zeros_like()
    optimizer = AdamW(model.parameters, decay=0.1)
    losses = []
    for step in range(STEPS):
        first, second = PAIRS[step % len(PAIRS)]
        batch = TokenBatch(first + second, xp)  # both sides of each pair in one batch: B = 2·M
        M = len(first)

        hidden, model_ctx = model.forward(batch, keep=True)  # (N, D)
        pooled, pooling_ctx = pooling(hidden, batch, "weighted_mean")  # (B, D)
        vectors, normalize_ctx = normalize(pooled)  # (B, D)
        loss, loss_ctx = info_nce(vectors[:M], vectors[M:], temperature=0.8)  # ()

        danchors, dpositives, _ = info_nce_backward(1.0, loss_ctx)  # (M, D) each
        dvectors = xp.concatenate([danchors, dpositives])  # (B, D)  vectors[:M], vectors[M:]
        dpooled = normalize_backward(dvectors, normalize_ctx)  # (B, D)
        dhidden = pooling_backward(dpooled, pooling_ctx)  # (N, D)
        gradients.flat[:] = 0.0
        model.backward(dhidden, model_ctx, gradients)

        clip_gradients(gradients, 1.0)
        optimizer.step(gradients, warmup_cosine(step, STEPS, peak=0.01, warmup=2))
        losses.append(float(loss))
    return losses, model.parameters.flat


def record(file):
    flat = draw_parameters()
    np.savez_compressed(file, parameters=flat, **run(flat, np, np.float64))


def record_training(file):
    with np.load(FILE) as recorded:
        flat = recorded["parameters"]
    losses = {dtype: train(flat, np, dtype)[0] for dtype in ("float64", "float32")}
    file.write_text(json.dumps(losses, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for part in sys.argv[1:]:
        write, file = {"model": (record, FILE), "training": (record_training, TRAINING_FILE)}[part]
        write(file)
        print(f"{file.name}: {file.stat().st_size:,} bytes", file=sys.stderr)
