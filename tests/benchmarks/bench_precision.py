"""How long a training step takes in each precision, and what it changes: one table for each model size.

    python tests/benchmarks/bench_precision.py [--sizes nano 124M] [--steps 20] [--tokens 24] [--dropout 0.0]
                                               [--precisions float32 tf32 float16 bfloat16] [--recompute]
                                               [--tf32]

A step is forward, symmetric InfoNCE on pairs, backward, clipping and AdamW, on random tokens: 2048 sentences
of 24 tokens for nano, 512 for the 124M. Every row is a process of its own, because CuPy reads CUPY_TF32 when
it is imported; tf32 lets the GPU round the operands of float32 products to 10 fraction bits, with `--tf32`
also those that stay float32 in the half-precision rows, which are attention's. Times are those of single
steps, each awaited; 5 steps come before them. "loss" is the one of the last step: the steps start from the
same parameters on the same batch, so it says what the precision does to learning. Memory is the most that
CuPy's pool held. With `--device cpu` the float32 row alone is measured, with NumPy.
"""

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
import time
from contextlib import nullcontext

import numpy as np

from minigpt2.backend import Backend, array_module, choose_backend
from minigpt2.config import GPT2Config
from minigpt2.model import GPT2
from minigpt2.training.gradients import vector_gradients
from minigpt2.training.losses import info_nce, info_nce_backward
from minigpt2.training.optimizer import AdamW, clip_gradients
from minigpt2.training.precision import LossScaler, half_products
from minigpt2.training.randomness import CountedGenerator

PRECISIONS = ("float32", "tf32", "float16", "bfloat16")
SENTENCES = {"nano": 2048, "124M": 512}
WARM_UP = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=SENTENCES, default=list(SENTENCES))
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--steps", type=int, default=20, help="timed steps")
    parser.add_argument("--tokens", type=int, default=24, help="tokens of a sentence")
    parser.add_argument("--sentences", type=int, help="sentences of a step (default: by size)")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--tf32", action="store_true", help="in the half-precision rows too")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args, args.sizes[0], args.precisions[0])))
        return

    print("command   python", shlex.join(sys.argv))
    if args.device == "cpu":
        args.precisions = ["float32"]
    for size in args.sizes:
        rows = []
        for precision in args.precisions:
            tf32 = precision == "tf32" or (args.tf32 and precision != "float32")
            environment = os.environ | {"CUPY_TF32": "1" if tf32 else "0"}
            command = [sys.executable, *sys.argv, "--one", "--sizes", size, "--precisions", precision]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                print(f"{size}, {precision}: failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
                continue
            rows.append(json.loads(done.stdout))
        show(size, rows)


def measure(args: argparse.Namespace, size: str, precision: str) -> dict:
    """One row of the table."""
    backend = choose_backend(device=args.device)
    xp = backend.xp
    rates = dict.fromkeys(("embd_pdrop", "attn_pdrop", "resid_pdrop"), args.dropout)
    model = GPT2.initialise(GPT2Config.named(size, **rates), 0, xp)
    B = args.sentences or SENTENCES[size]
    rng = np.random.default_rng(0)
    sentences = rng.integers(0, model.config.V, (B, args.tokens)).tolist()
    gradients, optimizer = model.parameters.zeros_like(), AdamW(model.parameters)
    dropout = CountedGenerator(xp, 0) if args.dropout else None
    scaler = LossScaler() if precision == "float16" else None
    seconds, left_out = [], 0
    with half_products(precision) if precision in ("float16", "bfloat16") else nullcontext():
        for _ in range(WARM_UP + args.steps):
            wait(backend)
            start = time.perf_counter()
            scale = scaler.scale if scaler else 1.0
            gradients.flat[:] = 0.0
            loss = vector_gradients(
                model,
                sentences,
                "mean",
                loss_of_pairs,
                gradients,
                rng=dropout,
                recompute=args.recompute,
                scale=scale,
            )
            gradients.flat *= 1.0 / scale
            norm = clip_gradients(gradients, 1.0)
            finite = math.isfinite(float(norm)) if scaler else True
            if finite:
                optimizer.step(gradients, 1e-5)
            if scaler:
                scaler.update(finite)
            left_out += not finite
            wait(backend)
            seconds.append(time.perf_counter() - start)
    seconds = sorted(seconds[WARM_UP:])
    memory = xp.get_default_memory_pool().total_bytes() if backend.device == "cuda" else 0
    name = xp.cuda.runtime.getDeviceProperties(0)["name"].decode() if backend.device == "cuda" else "CPU"
    return {
        "precision": precision,
        "device": f"{name}, {xp.__name__} {xp.__version__}, NumPy {np.__version__}",
        "tokens": B * args.tokens,
        "median": seconds[len(seconds) // 2],
        "lowest": seconds[0],
        "highest": seconds[-1],
        "memory": memory,
        "loss": float(loss),
        "left_out": left_out,
    }


def loss_of_pairs(vectors):
    """Symmetric InfoNCE: row i of the first half belongs to row i of the second."""
    half = len(vectors) // 2
    loss, ctx = info_nce(vectors[:half], vectors[half:])
    danchors, dpositives, _ = info_nce_backward(1.0, ctx)
    return loss, array_module(vectors).concatenate([danchors, dpositives])


def wait(backend: Backend) -> None:
    if backend.device == "cuda":
        backend.xp.cuda.Device().synchronize()


def show(size: str, rows: list[dict]) -> None:
    if not rows:
        return
    print(f"\n{size}, {rows[0]['tokens']:,} tokens a step; {rows[0]['device']}\n")
    print(
        "| precision | step, median | lowest to highest | tokens/s | to float32 | memory | loss | left out |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['precision']} | {1e3 * row['median']:.1f} ms "
            f"| {1e3 * row['lowest']:.1f} to {1e3 * row['highest']:.1f} "
            f"| {row['tokens'] / row['median']:,.0f} "
            f"| {rows[0]['median'] / row['median']:.2f}x | {row['memory'] / 2**30:.1f} GiB "
            f"| {row['loss']:.5f} | {row['left_out']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
