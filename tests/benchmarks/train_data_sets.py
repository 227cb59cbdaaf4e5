"""What training on `data_sets/` gives: test AUC over seeds, a collapse and its remedy, pretraining or none.

    python tests/benchmarks/train_data_sets.py scratch  [--seeds 0 1 2]
    python tests/benchmarks/train_data_sets.py collapse
    python tests/benchmarks/train_data_sets.py pretrain [--seeds 0 1 2] [--pairs 1000]

Every run is `minigpt2 train` as a user types it, in a process of its own, with the threads that BLAS takes by
itself; the commands are printed. Seconds are those that the trainer counts, validation included; processor
seconds are those of the whole process, tokenizer and start-up included.

`pretrain` compares two ways to spend the same time on few labelled pairs, in which the sentences of all pairs
are known but most labels are not: to learn from the labelled pairs alone, or first a language model of all
sentences and then the pairs. Both use the same tokenizer. The processor seconds of the second way (both of
its runs) are measured first, and the first way gets as many epochs as take at least as long.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minigpt2 import load
from minigpt2.datasets import read_pairs
from minigpt2.evaluation.metrics import auc

DATA = Path(__file__).parents[2] / "data_sets"
TRAIN, DEV, TEST = (str(DATA / f"{name}.tsv") for name in ("train", "dev", "test"))
MODEL = ["--n-layers", "2", "--dropout", "0.1"]
OPTIMIZER = ["--initial-lr", "2e-3", "--batch-size", "64"]
PAIRS = ["--train-data", TRAIN, "--validation-data", DEV]
VOCABULARY = ["--vocab-size", "3000", "--lowercase"]
OBJECTIVE = ["--objective", "info_nce", "--temperature", "0.1"]
SCRATCH = [*PAIRS, *OBJECTIVE, *MODEL, *VOCABULARY, *OPTIMIZER, "--epochs", "16"]


class Run(NamedTuple):
    """What one training run came to."""

    auc: float  # on test, × 100
    dev: float  # on dev, × 100
    seconds: float
    processor_seconds: float
    tokens: int
    mean_cosine: float  # of random pairs of dev sentences, at the end
    steps: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("scratch", "collapse", "pretrain"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pairs", type=int, default=1000, help="labelled pairs of `pretrain`")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        {"scratch": scratch, "collapse": collapse, "pretrain": pretrain}[args.what](args, Path(folder))


def scratch(args: argparse.Namespace, folder: Path) -> None:
    """The README's command over seeds, and the baselines that `minigpt2 evaluate` puts beside it"""
    runs, outputs = [], [folder / f"seed-{seed}" for seed in args.seeds]
    for seed, output in zip(args.seeds, outputs, strict=True):
        runs.append(train([*SCRATCH, "--seed", str(seed)], output))
        show(f"seed {seed}", runs[-1])
    spread([run.auc for run in runs])
    show_kinds(outputs)
    print(minigpt2("evaluate", str(output), TEST, "--dev", DEV))


def collapse(args: argparse.Namespace, folder: Path) -> None:
    """Only pairs that belong together, for which one vector for all is perfect; then two remedies"""
    together = folder / "together.tsv"
    header, *lines = Path(TRAIN).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.endswith("\t1")]
    together.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    rest = ["--validation-data", DEV, *MODEL, *VOCABULARY, *OPTIMIZER, "--epochs", "1"]
    rest += ["--validate-every", "5", "--max-steps", "60"]
    for name, options in (
        ("label 1 alone, cosine", ["--train-data", str(together), "--objective", "cosine"]),
        ("remedy: both labels, cosine", ["--train-data", TRAIN, "--objective", "cosine"]),
        ("remedy: label 1 alone, info_nce", ["--train-data", str(together), *OBJECTIVE]),
    ):
        output = folder / name.replace(" ", "-")
        show(name, train([*options, *rest], output))
        for event in events_of(output):
            if event["event"] == "validated" and event["step"] in (0, 5, 10, 20, 30, 60):
                gauges = event["collapse"]
                print(
                    f"  step {event['step']}: mean cosine {gauges['mean_cosine']:.3f}, effective rank "
                    f"{gauges['effective_rank']:.1f}, dev AUC {100 * event['metrics']['auc']:.2f}"
                )
            elif event["event"] == "warning":
                print(f"  step {event['step']}: {event['message']}")


def pretrain(args: argparse.Namespace, folder: Path) -> None:
    """Few labelled pairs: with or without a language model of all sentences first"""
    pairs = read_pairs(TRAIN)
    texts, few, tokenizer = folder / "texts.txt", folder / "few.tsv", folder / "tokenizer"
    texts.write_text("\n".join(dict.fromkeys(pairs.first + pairs.second)) + "\n", encoding="utf-8")
    header, *lines = Path(TRAIN).read_text(encoding="utf-8").splitlines()
    anchors = set(
        list(dict.fromkeys(pairs.first))[: args.pairs // 2]
    )  # each stands in one pair of each label
    kept = [line for line, first in zip(lines, pairs.first, strict=True) if first in anchors]
    few.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    minigpt2("tokens", "create", "--data-dir", TRAIN, *VOCABULARY, "--output", str(tokenizer))

    limited = ["--train-data", str(few), "--validation-data", DEV, *OBJECTIVE, *OPTIMIZER]
    fresh = ["--tokenizer-path", str(tokenizer), *MODEL]
    alone, after = [], []
    for seed in args.seeds:
        options = ["--seed", str(seed)]
        model = folder / f"language-model-{seed}"
        learn = ["--train-data", str(texts), "--objective", "language_model", *fresh, *OPTIMIZER]
        first = train([*learn, "--epochs", "3", *options], model, measured=False)
        then = [*limited, "--model", str(model), "--dropout", "0.1", "--epochs", "40", *options]
        second = train(then, folder / f"after-{seed}")
        budget = first.processor_seconds + second.processor_seconds
        after.append(second._replace(processor_seconds=budget))
        show(f"seed {seed}: language model, then pairs", after[-1])

        epochs = int(40 * 1.1 * budget / second.processor_seconds)
        run = train([*limited, *fresh, "--epochs", str(epochs), *options], folder / f"alone-{seed}")
        alone.append(run)
        show(f"seed {seed}: pairs alone, {epochs} epochs", run)
    for name, runs in (("language model first", after), ("pairs alone", alone)):
        print(name, end=": ")
        spread([run.auc for run in runs])


def train(options: list[str], output: Path, measured: bool = True) -> Run:
    """Run `minigpt2 train`, and measure the best model on test unless it is a language model"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    minigpt2("train", *options, "--no-tui", "--device", "cpu", "--output-dir", str(output))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    events = events_of(output)
    last_step = [event for event in events if event["event"] == "step"][-1]
    ended = events[-1]
    validated = [event for event in events if event["event"] == "validated"]
    return Run(
        auc=test_auc(output) if measured else float("nan"),
        dev=100 * ended["best_metric"] if measured else float("nan"),
        seconds=ended["seconds"],
        processor_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        tokens=last_step["tokens"],
        mean_cosine=validated[-1]["collapse"]["mean_cosine"] if measured else float("nan"),
        steps=ended["step"],
    )


def events_of(output: Path) -> list[dict]:
    """The run's log"""
    return [json.loads(line) for line in (output / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_auc(model: Path) -> float:
    """AUC × 100 of the cosines on test"""
    report = json.loads(minigpt2("evaluate", str(model), TEST, "--no-baselines", "--json"))
    return 100 * find(report, "auc")


def find(report: object, name: str) -> float:
    """The first number of this name in nested JSON"""
    values = report.values() if isinstance(report, dict) else report if isinstance(report, list) else ()
    if isinstance(report, dict) and isinstance(report.get(name), (int, float)):
        return report[name]
    for value in values:
        found = find(value, name)
        if found == found:
            return found
    return float("nan")


def minigpt2(*arguments: str) -> str:
    """Run the command line, and give back what it wrote to stdout"""
    command = [sys.executable, "-m", "minigpt2", *arguments]
    if arguments[0] == "train":
        print("minigpt2", *arguments, flush=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def show(name: str, run: Run) -> None:
    print(
        f"{name}: test AUC {run.auc:.2f}, best dev AUC {run.dev:.2f}, {run.seconds:.0f} s, "
        f"{run.processor_seconds:.0f} processor seconds, {run.steps} steps, {run.tokens:,} tokens, "
        f"mean cosine of random pairs {run.mean_cosine:.3f}",
        flush=True,
    )


def show_kinds(models: list[Path]) -> None:
    """The table of data_sets/README.md: AUC of the test pairs of one kind against all of the other label"""
    pairs = read_pairs(TEST)
    about = (line.split("\t") for line in (DATA / "kinds.tsv").read_text(encoding="utf-8").splitlines())
    kind_of = {name: kind for name, kind, _ in about}
    kinds = np.array([kind_of[name] for name in pairs.ids])  # (M,)
    cosines = []
    for model in models:
        encoder = load(model)
        a, b = encoder.encode(pairs.first), encoder.encode(pairs.second)  # (M, D), (M, D)
        cosines.append(encoder.similarity_pairwise(a, b))  # (M,)
    print("| kind, label | pairs | AUC, mean (smallest to largest) | mean cosine |\n|---|---|---|---|")
    for kind in sorted(set(kinds)):
        label = int(pairs.labels[kinds == kind][0])
        rows = (kinds == kind) | (pairs.labels != label)  # (M,)
        found = [auc(scores[rows], pairs.labels[rows]) for scores in cosines]
        print(
            f"| {kind}, {label} | {(kinds == kind).sum()} "
            f"| {statistics.mean(found):.3f} ({min(found):.3f} to {max(found):.3f}) "
            f"| {np.mean([scores[kinds == kind].mean() for scores in cosines]):.2f} |",
            flush=True,
        )


def spread(values: list[float]) -> None:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    print(
        f"test AUC {statistics.mean(values):.2f} ± {deviation:.2f} (mean, standard deviation), "
        f"lowest {min(values):.2f}, highest {max(values):.2f}, {len(values)} seeds",
        flush=True,
    )


if __name__ == "__main__":
    main()
