"""`minigpt2 evaluate [MODEL] FILE…`: how good a model's vectors are, beside what needs no training."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..visible import visible
from . import console
from .options import add_encoder_options, open_encoder, positive_int

if TYPE_CHECKING:
    from ..evaluation.tasks import SetResult

HELP = "measure a model on labelled files, beside simple baselines"

# metric -> its heading; what is missing here is in the JSON only
HEADINGS = {
    "spearman": "Spearman",
    "pearson": "Pearson",
    "auc": "AUC",
    "average_precision": "AP",
    "accuracy": "accuracy",
    "f1": "F1",
    "threshold": "threshold",
    "knn_accuracy": "kNN",
    "probe_accuracy": "probe",
    "v_measure": "v-measure",
    "ndcg@10": "nDCG@10",
    "mrr@10": "MRR@10",
    "recall@10": "recall@10",
    "recall@100": "recall@100",
}
NOT_PERCENT = ("threshold",)

# The names of the baselines on two lines, where the overview would not fit otherwise
NARROW_HEADINGS = {
    "untrained": "un-\ntrained",
    "TF-IDF": "TF-\nIDF",
    "random words": "random\nwords",
    "bigrams": "bi-\ngrams",
    "unigrams": "uni-\ngrams",
    "majority": "major-\nity",
}
NARROW = 100  # columns of a terminal below which they are used


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "Measure a model on files of pairs (id sentence1 sentence2 label, with 0/1 labels or scores), on "
        "files of text and label, and on BEIR folders. Each file is recognised by its header. Beside the "
        "model stand baselines that need no training: one that comes near it says that the file is easy or "
        "the model poor. All numbers but thresholds are × 100."
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="[MODEL] FILE",
        help="files and BEIR folders, after the model, if it is given here: a model directory or the name "
        "of a bundled one",
    )
    parser.add_argument(
        "--dev",
        metavar="FILE",
        help="choose the thresholds for 0/1 pairs on this file (default: on the measured pairs themselves)",
    )
    parser.add_argument(
        "--train",
        metavar="FILE",
        help="let probe and neighbours learn from this file of text and label (default: from X-train.tsv "
        "beside X-test.tsv, or else by cross-validation)",
    )
    parser.add_argument(
        "--limit", type=positive_int, metavar="N", help="take N examples of each file, evenly spread over it"
    )
    parser.add_argument("--no-baselines", action="store_true", help="measure the model only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_encoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Measure the model on every set that the arguments name, and print each as soon as it is done."""
    from ..evaluation.tasks import evaluate, open_sets

    paths = list(args.paths)
    if paths and _means_a_model(paths[0]):
        if args.model is not None:
            raise UsageError(f"two models: {args.model} (--model) and {paths[0]}; give one")
        args.model = paths.pop(0)
    if not paths:
        taken = f", and {args.model} was taken for the model" if args.paths else ""
        raise UsageError(
            f"evaluate needs at least one file or BEIR folder{taken} (see minigpt2 evaluate --help)"
        )
    sets = open_sets(paths, dev=args.dev, train=args.train, limit=args.limit)
    encoder = open_encoder(args)
    name = Path(args.model or encoder.path).resolve().name  # of a training run, not of best/ inside it
    results = []
    for one in sets:
        results.append(
            evaluate(
                one,
                encoder,
                name=name,
                with_baselines=not args.no_baselines,
                prompt_name=args.prompt_name,
                truncate_dim=args.truncate_dim,
            )
        )
        if args.json:
            continue
        if console.stdout_is_terminal():
            _print_table(results[-1])
        else:
            _print_lines(results[-1])
    if args.json:
        shown = {"model": str(encoder.path), "sets": [_as_json(result) for result in results]}
        sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    elif console.stdout_is_terminal() and len(results) > 1:
        _print_overview(results)
    return 0


def _means_a_model(name: str) -> bool:
    """True for the name of a bundled model and for a folder that is no BEIR folder."""
    from ..model_directory import bundled_models

    path = Path(name)
    return name in bundled_models() or (path.is_dir() and not (path / "corpus.jsonl").exists())


def _shown(metric: str, value: float) -> str:
    return f"{value:.3f}" if metric in NOT_PERCENT else f"{100 * value:.2f}"


def _notes(result: "SetResult") -> list[str]:
    if result.collapse is None:
        return result.notes
    gauges = result.collapse
    about = (
        f"vectors of {result.results[0].name}: mean cosine {gauges.mean_cosine:.3f}, "
        f"effective rank {gauges.effective_rank:.0f} of {gauges.dimensions}"
    )
    return [*result.notes, about]


def _as_json(result: "SetResult") -> dict[str, Any]:
    """Shares and correlations as they are, not × 100"""
    return {
        "name": result.name,
        "task": result.task,
        "path": result.path,
        "notes": result.notes,
        "collapse": None if result.collapse is None else result.collapse._asdict(),
        "systems": [
            {"name": system.name, "seconds": round(system.seconds, 3), "metrics": system.metrics}
            for system in result.results
        ],
    }


def _print_lines(result: "SetResult") -> None:
    """A line for each note and one for each system, all beginning with the set's name"""
    width = max(len(system.name) for system in result.results)
    for note in _notes(result):
        sys.stdout.write(f"{result.name}  # {note}\n")
    for system in result.results:
        numbers = "  ".join(
            f"{metric} {_shown(metric, value):>6}"
            for metric, value in system.metrics.items()
            if metric in HEADINGS
        )
        sys.stdout.write(f"{result.name}  {system.name:<{width}}  {numbers}  {system.seconds:7.1f} s\n")
    sys.stdout.flush()


def _print_table(result: "SetResult") -> None:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console.stdout()
    out.print(Padding(Text(visible(result.name), style="bold"), (0, 1)))
    for note in _notes(result):
        out.print(Padding(Text(visible(note), style="dim"), (0, 1)))
    metrics = [metric for metric in result.results[0].metrics if metric in HEADINGS]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column("system")
    for metric in metrics:
        table.add_column(HEADINGS[metric], justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True, style="dim")
    best = {metric: max(system.metrics[metric] for system in result.results) for metric in metrics}
    for i, system in enumerate(result.results):
        numbers = [
            Text(_shown(metric, value), style=_style(value == best[metric] and metric not in NOT_PERCENT))
            for metric, value in ((metric, system.metrics[metric]) for metric in metrics)
        ]
        named = Text(visible(system.name), style="" if i else "bold")
        table.add_row(named, *numbers, f"{system.seconds:.1f}")
    out.print(table)
    out.print()


def _style(is_best: bool) -> str:
    return "bold green" if is_best else ""


def _print_overview(results: "list[SetResult]") -> None:
    """One line for each set and headline metric, one column for each system."""
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from ..evaluation.tasks import HEADLINES

    out = console.stdout()
    names = list(dict.fromkeys(visible(system.name) for result in results for system in result.results))
    narrow = out.width < NARROW
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=not narrow,
        show_edge=False,
        padding=(0, 1, 0, 0) if narrow else (0, 1),
    )
    table.add_column("set", overflow="fold")
    table.add_column("metric", no_wrap=True)
    for name in names:
        heading = NARROW_HEADINGS.get(name, name) if narrow else name
        table.add_column(Text(heading), justify="right", min_width=5)
    for result in results:
        for metric in HEADLINES[result.task]:
            values = {visible(system.name): system.metrics[metric] for system in result.results}
            best = max(values.values())
            cells = [
                Text(_shown(metric, values[name]), style=_style(values[name] == best))
                if name in values
                else Text("")
                for name in names
            ]
            table.add_row(visible(result.name), HEADINGS[metric], *cells)
    out.print(Padding(Text("all sets", style="bold"), (0, 1)))
    out.print(table)
