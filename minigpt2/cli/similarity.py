"""`minigpt2 similarity A B [C …]`: how alike sentences are to the first, in numbers and in words."""

import argparse
import json
import math
import sys
from typing import Any, NamedTuple

from ..backend import Array
from ..errors import UsageError
from ..similarity import METRICS, Metric, pairwise, reading
from ..visible import visible
from . import console
from .options import add_encoder_options, open_encoder

HELP = "say how alike sentences are"

NO_DIRECTION = "an empty text has no direction"


class Score(NamedTuple):
    """One measure of a pair: its value, the range that it can have, and what it says."""

    metric: Metric
    value: float
    low: float
    high: float
    words: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "Say how alike two sentences are, or the first and each of several others. On a terminal a table "
        "explains every number; in a pipe there is one line for each measure: its name, value, range, what "
        "it says, and, where there are several, which sentence was compared."
    )
    parser.add_argument("sentences", nargs="*", metavar="SENTENCE", help="two sentences or more")
    parser.add_argument("--sentence1", metavar="A", help="the first sentence, instead of an argument")
    parser.add_argument("--sentence2", metavar="B", help="the second sentence")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--metric", choices=METRICS, default="cosine", help="which measure (default: cosine)")
    which.add_argument("--all-metrics", action="store_true", help="all measures")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, or a list of them for several pairs"
    )
    parser.add_argument(
        "--normalize",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="scale vectors to length 1, so that every measure has a known range (default)",
    )
    add_encoder_options(parser)


def run(args: argparse.Namespace) -> int:
    """Compare the first sentence that the arguments name with each of the others."""
    first, *others = _sentences(args)
    encoder = open_encoder(args)
    vectors = encoder.encode(
        [first, *others],
        prompt_name=args.prompt_name,
        truncate_dim=args.truncate_dim,
        normalize_embeddings=args.normalize,
    )  # (1 + others, D)
    names = list(METRICS) if args.all_metrics else [args.metric]
    comparisons = {}  # number of the other sentence -> one score for each measure
    for i in range(len(others)):
        comparisons[i] = [_score(METRICS[name], vectors[0], vectors[i + 1], args.normalize) for name in names]
    if args.json:
        pairs = [_as_json(first, others[i], scores, vectors.shape[1]) for i, scores in comparisons.items()]
        shown = pairs[0] if len(pairs) == 1 else pairs
        sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    elif not console.stdout_is_terminal():
        for i, scores in comparisons.items():
            _print_lines(scores, others[i] if len(others) > 1 else "")
    elif len(others) > 1 and len(names) == 1:
        _print_ranking(first, others, [scores[0] for scores in comparisons.values()])
    else:
        for i, scores in comparisons.items():
            _print_table(first, others[i], scores)
    return 0


def _sentences(args: argparse.Namespace) -> list[str]:
    """The first sentence and those to compare it with; --sentence1 and --sentence2 take the first places."""
    rest = list(args.sentences)
    named = [args.sentence1, args.sentence2]
    pair = [text if text is not None else (rest.pop(0) if rest else None) for text in named]
    if None in pair:
        given = sum(text is not None for text in pair)
        raise UsageError(
            f"similarity compares at least two sentences, not {given}: put each into quotation marks"
        )
    return [*pair, *rest]


def _score(metric: Metric, a: Array, b: Array, normalized: bool) -> Score:
    """`a` (D,), `b` (D,)"""
    dimensions = len(a)
    defined = bool(a.any() and b.any())
    value = float(pairwise(a, b, metric.name)[0])
    low, high = metric.unit_range(dimensions) if normalized else (metric.low, metric.high)
    if not defined:
        words = NO_DIRECTION
    elif normalized or metric.name in ("cosine", "pearson", "angular"):
        words = reading(metric.name, value, dimensions)
    else:
        words = "depends on the lengths of the vectors"
    return Score(metric, value, low, high, words)


def _as_json(a: str, b: str, scores: list[Score], dimensions: int) -> dict[str, Any]:
    return {
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


def _print_lines(scores: list[Score], sentence: str) -> None:
    for score in scores:
        bounds = f"from {_range(score)}"
        line = f"{score.metric.name:<10} {score.value:8.4f}  {bounds:<16} {score.words:<24} {sentence}"
        sys.stdout.write(" ".join(line.splitlines()).rstrip() + "\n")


def _print_ranking(first: str, others: list[str], scores: list[Score]) -> None:
    """One measure of several sentences: a line for each, in the order in which they were given."""
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console.stdout()
    metric = scores[0].metric
    out.print(Padding(Text(visible(first) or "(empty)", style="bold"), (0, 1)))
    out.print()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column("compared with")
    table.add_column(metric.name, justify="right", no_wrap=True)
    table.add_column("what it says", no_wrap=True)
    for sentence, score in zip(others, scores, strict=True):
        style = _style(score)
        value = Text(f"{score.value:.4f}", style=style)
        shown = Text(visible(sentence) or "(empty)")
        table.add_row(shown, value, Text(score.words, style=style))
    out.print(table)
    out.print()
    better = "higher is closer" if metric.higher_is_closer else "lower is closer"
    out.print(Padding(Text(f"{metric.name}: {metric.explanation}", style="dim"), (0, 1)))
    out.print(Padding(Text(f"from {_range(scores[0])}; {metric.landmarks} ({better})", style="dim"), (0, 1)))


def _print_table(a: str, b: str, scores: list[Score]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console.stdout()
    sentences = Table.grid(padding=(0, 2, 0, 1))
    for letter, sentence in (("A", a), ("B", b)):
        sentences.add_row(Text(letter, style="bold"), Text(visible(sentence) or "(empty)"))
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
