"""`minigpt2 bench`: how fast a model embeds text here, and where the time goes."""

import argparse
import json
import platform
import statistics
import sys
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from . import console
from .options import add_backend_options, add_model_option, open_encoder, positive_int

if TYPE_CHECKING:
    from ..encoder import Encoder
    from ..speed import Speed

HELP = "measure how fast a model embeds text on this machine"

TEXTS = 512


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="texts, one a line; - is stdin (default: sentences of data_sets/test.tsv, which come along)",
    )
    add_model_option(parser)
    add_backend_options(parser)
    parser.add_argument(
        "--texts",
        type=positive_int,
        default=TEXTS,
        metavar="N",
        help=f"take N of the texts (default: {TEXTS})",
    )
    parser.add_argument(
        "--rounds", type=positive_int, default=5, metavar="N", help="measure N times (default: 5)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Measure and say."""
    from ..speed import measure

    texts = _texts(args.file)[: args.texts]
    if not any(texts):
        where = "stdin" if args.file == "-" else args.file
        raise DataError(f"{where}: no text in it: give some lines of text")
    encoder = open_encoder(args)
    speed = measure(encoder, texts, args.rounds)
    data = _as_data(encoder, speed, args.rounds)
    if args.json:
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    else:
        _print(data)
    return 0


def _texts(source: str | None) -> list[str]:
    if source is None:
        from ..datasets import read_pairs
        from ..learn.library import data_file

        pairs = read_pairs(data_file("test.tsv"))
        return [text for pair in zip(pairs.first, pairs.second, strict=True) for text in pair]
    from ..files import read_lines

    return list(console.stdin_lines() if source == "-" else read_lines(source))


def _as_data(encoder: "Encoder", speed: "Speed", rounds: int) -> dict[str, Any]:
    """What is printed, in units of people: a median and the range of the rounds"""

    def of(seconds: list[float], number: float) -> dict[str, float]:
        """`number` things in so many seconds -> things a second"""
        return {
            "median": number / statistics.median(seconds),
            "slowest": number / max(seconds),
            "fastest": number / min(seconds),
        }

    kinds = sorted(speed.kinds.items(), key=lambda item: -item[1])
    together = sum(speed.kinds.values())
    return {
        "model": encoder.path.resolve().name if encoder.path else "in memory",
        "backend": str(encoder.backend),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "threads": speed.threads,
        "rounds": rounds,
        "texts": speed.texts,
        "tokens": speed.tokens,
        "computed_tokens": speed.computed,
        "mean_tokens": speed.tokens / speed.texts,
        "longest": speed.longest,
        "sentences_per_second": of(speed.text_seconds, speed.texts),
        "tokens_per_second": of(speed.text_seconds, speed.tokens),
        "ids_to_vectors_sentences_per_second": of(speed.ids_seconds, speed.texts),
        "tokenizer_sentences_per_second": of(speed.tokenize_seconds, speed.texts),
        "one_text_tokens": speed.one_tokens,
        "one_text_milliseconds": 1e3 * statistics.median(speed.one_seconds),
        "gflops": speed.operations / statistics.median(speed.ids_seconds) / 1e9,
        "peak_gflops": speed.peak / 1e9,
        "share_of_peak": speed.share,
        "milliseconds_by_kind": {kind: 1e3 * seconds for kind, seconds in kinds},
        "share_by_kind": {kind: seconds / together for kind, seconds in kinds},
        "peak_memory_mb": None if speed.memory is None else speed.memory / 1e6,
    }


def _print(data: dict[str, Any]) -> None:
    from ..views import Bars, Definitions, Heading, Paragraph, Stack

    def rate(name: str, unit: str = "") -> str:
        of = data[name]
        spread = f"  ({of['slowest']:,.0f} to {of['fastest']:,.0f})" if data["rounds"] > 1 else ""
        return f"{of['median']:,.0f}{unit}{spread}"

    memory = data["peak_memory_mb"]
    one = f"{data['one_text_milliseconds']:.2f} ms for {data['one_text_tokens']} tokens"
    products = (
        f"{data['gflops']:,.0f} GFLOP/s, {data['share_of_peak']:.0%} of the fastest product measured here "
        f"({data['peak_gflops']:,.0f})"
    )
    shared = 1 - data["computed_tokens"] / data["tokens"]
    rows = [
        ("texts", f"{data['texts']:,} of {data['mean_tokens']:.1f} tokens, the longest {data['longest']}"),
        *(
            [("shared", f"{shared:.1%} of the tokens are those of a text that begins alike")]
            if shared
            else []
        ),
        ("sentences a second", rate("sentences_per_second")),
        ("tokens a second", rate("tokens_per_second")),
        ("without tokenizing", rate("ids_to_vectors_sentences_per_second", " sentences a second")),
        ("tokenizing alone", rate("tokenizer_sentences_per_second", " sentences a second")),
        ("one text", one),
        ("products", products),
        ("memory", "unknown" if memory is None else f"{memory:,.0f} MB at most"),
        ("computed by", data["backend"]),
        *([("threads", str(data["threads"]))] if data["threads"] else []),
        ("machine", data["machine"]),
    ]
    rounds = f"median of {data['rounds']} rounds, slowest and fastest" if data["rounds"] > 1 else "one round"
    kinds = data["milliseconds_by_kind"]
    shares = [f"{data['share_by_kind'][kind]:.1%}" for kind in kinds]
    console.stdout().print(
        Stack(
            Heading(f"speed of {data['model']}", rounds),
            Definitions(rows),
            Paragraph(
                "Milliseconds of one pass over all texts" + (", on one thread:" if data["threads"] else ":")
            ),
            Bars(list(kinds), list(kinds.values()), digits=1, notes=shares),
        )
    )
