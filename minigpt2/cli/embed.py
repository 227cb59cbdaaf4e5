"""`minigpt2 embed`: texts in, vectors out, as JSON, JSON lines or a NumPy file."""

import argparse
import contextlib
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from ..errors import UsageError
from . import console
from .options import add_encoder_options, open_encoder, positive_int

if TYPE_CHECKING:
    from ..encoder import Encoder

HELP = "turn texts into vectors"

SUFFIXES = (".npy", ".json", ".jsonl")
PRECISIONS = ("float32", "int8", "uint8", "binary", "ubinary")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "Turn texts into vectors. Prints one JSON object {sentence, embedding, dimensions} for one text and "
        "a list of them for several or for --input. Vector N belongs to text N; an empty line of --input is "
        "an empty text and gives the zero vector."
    )
    parser.add_argument(
        "texts", nargs="*", metavar="TEXT", help="a text; a single - reads stdin like --input -"
    )
    parser.add_argument("--sentence", action="append", metavar="TEXT", help="a text; may be given many times")
    parser.add_argument("--input", metavar="FILE", help="a UTF-8 file with one text a line; - is stdin")
    parser.add_argument(
        "--jsonl",
        action="store_true",
        help="print one JSON object a line, while reading (each --batch-size texts)",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write to a file instead of stdout, as its name ends: .npy, .json or .jsonl",
    )
    add_encoder_options(parser)
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="what a vector is made of: --dtype's numbers (float32, the default), bytes, or packed sign bits",
    )
    parser.add_argument(
        "--normalize",
        action=argparse.BooleanOptionalAction,
        help="scale vectors to length 1, or do not (default: as the model says)",
    )
    parser.add_argument(
        "--batch-size", type=positive_int, default=1024, metavar="N", help="texts at once (default: 1024)"
    )


def run(args: argparse.Namespace) -> int:
    """Embed what the arguments name."""
    if args.texts == ["-"] and args.input is None:
        args.texts, args.input = [], "-"
    given = [*args.texts, *(args.sentence or [])]
    if not given and args.input is None:
        raise UsageError("nothing to embed: give a text, or --input FILE with one text a line (- is stdin)")
    texts = chain(given, _lines(args.input) if args.input is not None else ())
    form = _form_of_output(args)
    if args.output in (None, "-"):
        _write(args, form, texts, sys.stdout)
        return 0

    from ..files import atomic_path

    with atomic_path(args.output) as path:
        if form == "npy":
            vectors = _encode_all(open_encoder(args), list(texts), args)
            _write_array(path, vectors)
            count = len(vectors)
        else:
            with open(path, "w", encoding="utf-8", newline="\n") as stream:
                count = _write(args, form, texts, stream)
    console.say(f"wrote {count} {'vector' if count == 1 else 'vectors'} to {args.output}")
    return 0


def _form_of_output(args: argparse.Namespace) -> str:
    """What to write: json, jsonl or npy"""
    if args.output in (None, "-"):
        return "jsonl" if args.jsonl else "json"
    suffix = Path(args.output).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"--output {args.output}: the name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        )
    if args.jsonl and suffix != ".jsonl":
        raise UsageError(
            f"--jsonl contradicts --output {args.output}: end the name in .jsonl or drop --jsonl"
        )
    return suffix[1:]


def _lines(source: str) -> Iterator[str]:
    from ..files import read_lines

    return read_lines(source) if source != "-" else console.stdin_lines()


def _write(args: argparse.Namespace, form: str, texts: Iterable[str], stream: TextIO) -> int:
    """Embed and write as "json", whole or nothing, or as "jsonl", batch by batch; how many texts it were."""
    if form == "jsonl":
        return _write_lines(args, texts, stream)
    texts = list(texts)  # reads all of the input first: a line that is not UTF-8 costs no time
    vectors = _encode_all(open_encoder(args), texts, args)
    objects = [_object(text, vector) for text, vector in zip(texts, vectors, strict=True)]
    if len(objects) == 1 and args.input is None:
        stream.write(objects[0] + "\n")
    else:
        stream.write("[\n" + ",\n".join(objects) + "\n]\n" if objects else "[]\n")
    return len(objects)


def _write_lines(args: argparse.Namespace, texts: Iterable[str], stream: TextIO) -> int:
    encoder = open_encoder(args)
    texts, count, truncated = iter(texts), 0, 0
    with _counter(stream) as advance:
        while some := list(islice(texts, args.batch_size)):
            vectors, cut = _encode(encoder, some, args, show_progress_bar=False)
            stream.writelines(
                _object(text, vector) + "\n" for text, vector in zip(some, vectors, strict=True)
            )
            stream.flush()
            count += len(some)
            truncated += cut
            advance(len(some))
    _warn_of_truncation(truncated, count, encoder)
    return count


def _write_array(path: Path, vectors: np.ndarray) -> None:
    """A .npy file. `np.save` would add a suffix to NAME.NPY, and hides why the system refused to write."""
    with open(path, "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(vectors))
        stream.write(np.ascontiguousarray(vectors))


def _encode_all(encoder: "Encoder", texts: list[str], args: argparse.Namespace) -> np.ndarray:
    vectors, truncated = _encode(encoder, texts, args, show_progress_bar=None)
    _warn_of_truncation(truncated, len(texts), encoder)
    return vectors


def _encode(
    encoder: "Encoder", texts: list[str], args: argparse.Namespace, show_progress_bar: bool | None
) -> tuple[np.ndarray, int]:
    """Vectors (B, D) and how many texts were cut at the window; the encoder's own warning is left to us."""
    from ..encoder import TruncationWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        vectors = encoder.encode(
            texts,
            prompt_name=args.prompt_name,
            batch_size=args.batch_size,
            show_progress_bar=show_progress_bar,
            precision=args.precision,
            truncate_dim=args.truncate_dim,
            normalize_embeddings=args.normalize,
        )
    return vectors, encoder.truncated


def _warn_of_truncation(truncated: int, count: int, encoder: "Encoder") -> None:
    if truncated:
        verb = "was" if truncated == 1 else "were"
        console.say(
            f"warning: {truncated} of {count} texts {verb} longer than the model's window of "
            f"{encoder.max_seq_length} tokens and {verb} cut there"
        )


def _object(text: str, vector: np.ndarray) -> str:
    """One JSON object on one line. Numbers have the digits that their dtype needs, and no more."""
    numbers: list[Any] = vector.tolist()
    if vector.dtype == np.float32:
        numbers = [float(digits) for digits in vector.astype("U")]
    fields = {"sentence": text, "embedding": numbers, "dimensions": len(numbers)}
    return json.dumps(fields, ensure_ascii=False, allow_nan=False)


@contextlib.contextmanager
def _counter(stream: TextIO) -> Iterator[Callable[[int], None]]:
    """A count of texts on stderr while JSON lines stream elsewhere; nothing where no person would see it."""
    if sys.stderr is None or not sys.stderr.isatty() or stream.isatty():
        yield lambda count: None
        return
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("embedding"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console.stderr(), transient=True) as progress:
        task = progress.add_task("embedding", total=None)
        yield lambda count: progress.advance(task, count)
