"""`minigpt2 similarity A B`: how alike two sentences are, in numbers and in words."""

import argparse
import json
import math
import sys
from typing import NamedTuple

from ..errors import UsageError
from ..similarity import METRICS, Metric, pairwise, reading
from . import console
from .options import add_encoder_options, open_encoder

HELP = "say how alike two sentences are"

NO_DIRECTION = "an empty text has no direction"


class Score(NamedTuple):
    """One measure of the pair: its value, the range that it can have, and what it says."""

    metric: Metric
    value: float
    low: float
    high: float
    words: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "Say how alike two sentences are. On a terminal a table explains every number; in a pipe there is "
        "one line for each measure: its name, value, range, and what it says."
    )
    parser.add_argument("sentences", nargs="*", metavar="SENTENCE", help="two sentences")
    parser.add_argument("--sentence1", metavar="A", help="the first sentence, instead of an argument")
    parser.add_argument("--sentence2", metavar="B", help="the second sentence")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--metric", choices=METRICS, default="cosine", help="which measure (default: cosine)")
    which.add_argument("--all-metrics", action="store_true", help="all measures")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--normalize",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="scale vectors to length 1, so that every measure has a known range (default)",
    )
    add_encoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Compare the two sentences that the arguments name."""
    a, b = _two_sentences(args)
    encoder = open_encoder(args)
    vectors = encoder.encode(
        [a, b],
        prompt_name=args.prompt_name,
        truncate_dim=args.truncate_dim,
        normalize_embeddings=args.normalize,
    )  # (2, D)
    dimensions = vectors.shape[1]
    names = list(METRICS) if args.all_metrics else [args.metric]
    defined = bool(vectors.any(axis=1).all())
    scores = [_score(METRICS[name], vectors, args.normalize, defined) for name in names]
    if args.json:
        _print_json(a, b, scores, dimensions)
    elif console.stdout_is_terminal():
        _print_table(a, b, scores)
    else:
        _print_lines(scores)
    return 0


def _two_sentences(args: argparse.Namespace) -> tuple[str, str]:
    named = [args.sentence1, args.sentence2]
    if named == [None, None]:
        if len(args.sentences) != 2:
            raise UsageError(
                f"similarity compares two sentences, not {len(args.sentences)}: put each into quotation marks"
            )
        return args.sentences[0], args.sentences[1]
    rest = list(args.sentences)
    pair = [text if text is not None else (rest.pop(0) if rest else None) for text in named]
    if rest or None in pair:
        raise UsageError(
            "similarity compares two sentences: give --sentence1 and --sentence2, or two arguments"
        )
    return pair[0], pair[1]


def _score(metric: Metric, vectors, normalized: bool, defined: bool) -> Score:
    dimensions = vectors.shape[1]
    value = float(pairwise(vectors[0], vectors[1], metric.name)[0])
    low, high = metric.unit_range(dimensions) if normalized else (metric.low, metric.high)
    if not defined:
        words = NO_DIRECTION
    elif normalized or metric.name in ("cosine", "pearson", "angular"):
        words = reading(metric.name, value, dimensions)
    else:
        words = "depends on the lengths of the vectors"
    return Score(metric, value, low, high, words)


def _print_json(a: str, b: str, scores: list[Score], dimensions: int) -> None:
    fields = {
        "sentence1": a,
        "sentence2": b,
        "dimensions": dimensions,
        "scores": {score.metric.name: score.value for score in scores},
        "metrics": {
            score.metric.name: {
                "formula": score.metric.formula,
                "low": score.low if math.isfinite(score.low) else None,
                "high": score.high if math.isfinite(score.high) else None,
                "higher_is_closer": score.metric.higher_is_closer,
                "reading": score.words,
            }
            for score in scores
        },
    }
    sys.stdout.write(json.dumps(fields, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def _print_lines(scores: list[Score]) -> None:
    for score in scores:
        sys.stdout.write(
            f"{score.metric.name:<10} {score.value:8.4f}  {'from ' + _range(score):<16} {score.words}\n"
        )


def _print_table(a: str, b: str, scores: list[Score]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console.stdout()
    sentences = Table.grid(padding=(0, 2, 0, 1))
    for letter, sentence in (("A", a), ("B", b)):
        sentences.add_row(Text(letter, style="bold"), Text(sentence or "(empty)"))
    out.print(sentences)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column("measure", style="bold", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("range", no_wrap=True)
    table.add_column("what it says")
    for score in scores:
        about = [score.metric.landmarks]
        if len(scores) == 1:
            better = "higher is closer" if score.metric.higher_is_closer else "lower is closer"
            about = [score.metric.explanation, f"{score.metric.landmarks} ({better})"]
        table.add_row(
            score.metric.name,
            Text(f"{score.value:.4f}", style=_style(score)),
            _range(score),
            Text.assemble((score.words, _style(score)), *((f"\n{line}", "dim") for line in about)),
        )
    out.print()
    out.print(table)


def _range(score: Score) -> str:
    return f"{_bound(score.low)} to {_bound(score.high)}"


def _bound(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ("∞" if value > 0 else "-∞")


def _style(score: Score) -> str:
    colours = {"nearly the same meaning": "bold green", "close in meaning": "green", "related": "yellow"}
    return colours.get(score.words, "")
