"""A run small enough for tests; as a script the same run in a process of its own, which can be killed.

    python tiny_runs.py OUTPUT [--resume] [--xp cupy] [--kill-at-step N] [--kill-at-write N] …

It prints a line for each step. `--kill-at-write` kills it at its Nth call that makes a file lasting: a flush
to the disk or a rename.
"""

import argparse
import os
import resource
import signal
from pathlib import Path

import numpy as np

from minigpt2.config import GPT2Config
from minigpt2.datasets import Pairs
from minigpt2.encoder import Encoder
from minigpt2.errors import MiniGPT2Error
from minigpt2.model import GPT2
from minigpt2.tokenizer import ByteTokenizer
from minigpt2.training import Trainer, TrainingSet, TrainingSettings
from minigpt2.training.events import StepDone

WORDS = ["cat", "dog", "house", "tree", "river", "car", "train", "book", "song", "city", "rain", "sun"]

# Everything that has a state of its own is on: dropout, accumulation, parts of a batch, the end of an epoch.
SETTINGS = TrainingSettings(
    objective="info_nce",
    epochs=5,
    max_steps=40,
    batch_size=6,
    accumulate=2,
    chunk_texts=5,
    dropout=0.1,
    initial_lr=3e-3,
    validate_every=10,
    checkpoint_every=5,
)


class Events(list):
    """A reporter that remembers."""

    closed = 0

    def report(self, event):
        self.append(event)

    def close(self):
        self.closed += 1

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


def tiny_encoder(xp=np, dtype=np.float32, seed=0, **changes):
    tokenizer = ByteTokenizer()
    sizes = {"n_positions": 40, "n_embd": 12, "n_layer": 2, "n_head": 3} | changes
    config = GPT2Config(vocab_size=tokenizer.vocab_size, **sizes)
    return Encoder(GPT2.initialise(config, seed, xp, dtype), tokenizer)


def word_pairs(M, seed=0, path="words.tsv"):
    """Pairs with label 1 (the same words in another order) and 0 (other words), in turn."""
    rng = np.random.default_rng(seed)
    first, second = [], []
    for m in range(M):
        words = rng.choice(WORDS, 4)
        first.append(" ".join(words))
        second.append(" ".join(rng.permutation(words) if m % 2 else rng.choice(WORDS, 3)))
    ids = [str(m) for m in range(M)]
    return Pairs(Path(path), ids, first, second, (np.arange(M) % 2).astype(np.float64), "binary")


def tiny_trainer(output, settings=SETTINGS, *, encoder=None, data=None, validation=True, **options):
    encoder = encoder or tiny_encoder()
    data = TrainingSet.from_pairs(word_pairs(220), encoder) if data is None else data
    if validation is True:
        validation = word_pairs(30, seed=1)
    return Trainer(encoder, data, settings, output, validation=validation or None, **options)


class _Lines:
    """Prints steps, and kills its own process after one of them."""

    def __init__(self, kill_at_step):
        self.kill_at_step = kill_at_step

    def report(self, event):
        if isinstance(event, StepDone):
            print(event.step, flush=True)
            if event.step == self.kill_at_step:
                os.kill(os.getpid(), signal.SIGKILL)

    def close(self):
        pass


def _kill_at_write(number):
    calls = 0

    def counted(function):
        def call(*args, **named):
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **named)

        return call

    os.fsync, os.rename, os.replace = counted(os.fsync), counted(os.rename), counted(os.replace)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("output")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--xp", default="numpy")
    parser.add_argument("--kill-at-step", type=int)
    parser.add_argument("--kill-at-write", type=int)
    parser.add_argument("--largest-file", type=int)
    parser.add_argument("--checkpoint-every", type=int, default=SETTINGS.checkpoint_every)
    args = parser.parse_args()
    settings = SETTINGS.replace(checkpoint_every=args.checkpoint_every)
    trainer = tiny_trainer(
        args.output,
        settings,
        encoder=tiny_encoder(args.xp),
        resume=args.resume,
        reporters=[_Lines(args.kill_at_step)],
    )
    if args.kill_at_write:
        _kill_at_write(args.kill_at_write)
    if args.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (args.largest_file, args.largest_file))
    try:
        print(trainer.run().reason)
    except MiniGPT2Error as error:
        print(f"{type(error).__name__}: {error}")
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
