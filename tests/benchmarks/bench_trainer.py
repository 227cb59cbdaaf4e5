"""What the trainer costs around the gradient: time and memory of steps of the bundled model on the CPU.

    python tests/benchmarks/bench_trainer.py [--steps 30] [--pairs 64]

Times every step as the trainer takes it, and within it the forward and backward pass, the optimizer and the
rest: choosing the batch, collecting its tokens, the checks, the events and the log.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

import minigpt2
from minigpt2.datasets import Pairs
from minigpt2.training import Trainer, TrainingSet, TrainingSettings
from minigpt2.training import trainer as trainer_module

WORDS = (
    "the",
    "a",
    "cat",
    "dog",
    "house",
    "tree",
    "river",
    "car",
    "train",
    "book",
    "song",
    "city",
    "rain",
    "sun",
)
WORDS += ("sees", "finds", "likes", "old", "new", "big", "red")


def pairs_of(M, rng):
    first = [" ".join(rng.choice(WORDS, rng.integers(6, 18))) for _ in range(M)]
    second = [" ".join(rng.permutation(text.split())) for text in first]
    return Pairs(Path("words"), [str(m) for m in range(M)], first, second, np.ones(M), "binary")


def timed(totals, name, function):
    def call(*args, **named):
        started = time.perf_counter()
        value = function(*args, **named)
        totals[name] = totals.get(name, 0.0) + time.perf_counter() - started
        return value

    return call


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.0)
    args = parser.parse_args()
    encoder = minigpt2.load()
    data = TrainingSet.from_pairs(pairs_of(args.steps * args.pairs, np.random.default_rng(0)), encoder)
    settings = TrainingSettings(batch_size=args.pairs, max_steps=args.steps, dropout=args.dropout or None)
    totals: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(encoder, data, settings.replace(checkpoint_every=10**6), Path(folder, "run"))
        trainer_module.vector_gradients = timed(totals, "gradient", trainer_module.vector_gradients)
        trainer.optimizer.step = timed(totals, "optimizer", trainer.optimizer.step)
        trainer._one_step = timed(totals, "step", trainer._one_step)
        trainer._checkpoint = timed(totals, "checkpoints", trainer._checkpoint)
        trainer.run()
    rest = totals["step"] - totals["gradient"] - totals["optimizer"]
    print(
        f"{args.steps} steps of {args.pairs} pairs, {data.lengths_of_examples().sum() / len(data):.1f} "
        f"tokens each, "
        f"OPENBLAS_NUM_THREADS={os.environ.get('OPENBLAS_NUM_THREADS', 'unset')}"
    )
    for name in ("step", "gradient", "optimizer"):
        print(f"{name:10} {1000 * totals[name] / args.steps:8.1f} ms")
    print(f"{'rest':10} {1000 * rest / args.steps:8.1f} ms  {rest / totals['step']:.1%} of a step")
    print(f"{'checkpoint':10} {1000 * totals['checkpoints'] / 2:8.1f} ms  each")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
