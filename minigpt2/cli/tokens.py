"""`minigpt2 tokens`: how a text is cut into tokens, a vocabulary of one's own, and the tokens of files."""

import argparse
import contextlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import DataError, UsageError
from ..files import read_lines
from ..visible import visible_bytes
from . import console
from .options import positive_int

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer, WordTrace
    from ..tokenizer.train import Progress

HELP = "show a text's tokens, create a vocabulary, count tokens in files"

TEXT_SUFFIXES = (".txt", ".tsv")
SENTENCE_COLUMNS = ("sentence1", "sentence2")
CHIP_COLOURS = ("cyan", "yellow", "green", "magenta")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "A token is what the model reads: a run of bytes, often a whole word. show cuts a text into tokens, "
        "create learns a vocabulary from text files, count measures files."
    )
    commands = parser.add_subparsers(dest="action", required=True, metavar="show|create|count")

    show = commands.add_parser("show", help="the tokens of a text", allow_abbrev=False)
    show.add_argument("text", metavar="TEXT", help="the text; - reads it from stdin")
    _add_tokenizer_option(show)
    show.add_argument("--trace", action="store_true", help="show every merge from bytes to tokens")
    show.add_argument(
        "--allow-special",
        action="store_true",
        help="read special tokens such as <|endoftext|> in the text as such",
    )
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run_action=_show)

    create = commands.add_parser("create", help="learn a vocabulary from text", allow_abbrev=False)
    create.add_argument(
        "--data-dir",
        nargs="+",
        required=True,
        metavar="DIR_OR_FILE",
        help="UTF-8 files, or folders of them: .txt with one text a line, .tsv with columns sentence1 and "
        "sentence2 (without such a header every field that is not a number)",
    )
    create.add_argument(
        "--output",
        required=True,
        metavar="FILE_OR_DIR",
        help="where to write: a file ….json, or a folder that gets tokenizer.json and tokenizer_config.json",
    )
    create.add_argument(
        "--vocab-size",
        required=True,
        type=positive_int,
        metavar="N",
        help="tokens, 256 bytes and 2 special included",
    )
    create.add_argument(
        "--lowercase", action="store_true", help="lower-case every text, now and when encoding"
    )
    create.add_argument("--limit", type=positive_int, metavar="N", help="learn from the first N texts only")
    create.add_argument(
        "--min-frequency",
        type=positive_int,
        default=2,
        metavar="N",
        help="merge only pairs seen N times (default: 2)",
    )
    create.add_argument("--overwrite", action="store_true", help="replace a tokenizer that is already there")
    create.set_defaults(run_action=_create)

    count = commands.add_parser(
        "count", help="tokens, words and bytes of files, or the tokens of a vocabulary", allow_abbrev=False
    )
    count.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="UTF-8 text, one text a line; - is stdin (default: count the tokens of the vocabulary itself)",
    )
    _add_tokenizer_option(count)
    count.add_argument("--json", action="store_true", help="print JSON")
    count.set_defaults(run_action=_count)

    for command in (show, create, count):
        for option in ("--no-color", "--debug"):  # of every command; here they may also follow the action
            command.add_argument(
                option, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
            )


def _add_tokenizer_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tokenizer-path",
        metavar="PATH",
        help="a tokenizer.json, or a folder with one or with vocab.json and merges.txt (default: bundled)",
    )


def run(args: argparse.Namespace) -> int:
    """Do what the arguments name."""
    return args.run_action(args)


def _open_tokenizer(path: str | None) -> "Tokenizer":
    from ..tokenizer import load_tokenizer

    if path is None:
        from ..model_directory import find_model

        return load_tokenizer(find_model(None))
    return load_tokenizer(path)


# show


def _show(args: argparse.Namespace) -> int:
    if args.trace and args.allow_special:
        raise UsageError("--trace shows merges, which special tokens have none of: leave out --allow-special")
    tokenizer = _open_tokenizer(args.tokenizer_path)
    text = "\n".join(console.stdin_lines()) if args.text == "-" else args.text
    ids = tokenizer.encode(text, allow_special=args.allow_special)
    trace = _trace(tokenizer, text) if args.trace else None
    if args.json:
        print(json.dumps(_as_json(tokenizer, text, ids, trace), ensure_ascii=False))
    elif trace is not None:
        _print_trace(trace)
    elif console.stdout_is_terminal():
        _print_chips(tokenizer, text, ids)
    else:
        for id in ids:
            print(id, visible_bytes(tokenizer.token_bytes(id)), sep="\t")
    return 0


def _trace(tokenizer: "Tokenizer", text: str) -> "list[WordTrace]":
    from ..tokenizer import trace_merges

    return trace_merges(tokenizer, text)


def _as_json(
    tokenizer: "Tokenizer", text: str, ids: list[int], trace: "list[WordTrace] | None"
) -> dict[str, Any]:
    """`bytes` in hexadecimal; `text` is null for a token that is no whole UTF-8."""
    special = set(tokenizer.special_tokens.values())
    shown: dict[str, Any] = {
        "text": text.encode("utf-8", "replace").decode("utf-8"),
        "count": len(ids),
        "tokens": [
            {"id": id, **_text_and_bytes(tokenizer.token_bytes(id)), "special": id in special} for id in ids
        ],
    }
    if trace is not None:
        shown["trace"] = [
            {
                "word": word.text,
                "pieces": [_text_and_bytes(piece) for piece in word.pieces],
                "steps": [
                    {
                        "rank": step.rank,
                        "position": step.position,
                        "left": _text_and_bytes(step.left),
                        "right": _text_and_bytes(step.right),
                        "token": step.token,
                        "ids": list(step.ids),
                        "pieces": [_text_and_bytes(piece) for piece in step.pieces],
                    }
                    for step in word.steps
                ],
                "ids": list(word.ids),
            }
            for word in trace
        ]
    return shown


def _text_and_bytes(token: bytes) -> dict[str, str | None]:
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return {"text": text, "bytes": token.hex()}


def _print_chips(tokenizer: "Tokenizer", text: str, ids: list[int]) -> None:
    """Each token on a coloured ground with its id below, then what it comes to."""
    from rich.columns import Columns
    from rich.text import Text

    chips = []
    for at, id in enumerate(ids):
        colour = CHIP_COLOURS[at % len(CHIP_COLOURS)]
        chip = Text(f" {visible_bytes(tokenizer.token_bytes(id))} ", style=f"black on {colour}")
        chips.append(Text.assemble(chip, "\n", (f" {id}", "dim")))
    screen = console.stdout()
    if chips:
        screen.print(Columns(chips, padding=(0, 1)))
    n_bytes = len(tokenizer.decode_bytes(ids))
    average = f", {n_bytes / len(ids):.2f} bytes a token" if ids else ""
    screen.print(f"{len(ids)} tokens, {len(text)} characters, {n_bytes} bytes{average}")


def _print_trace(trace: "list[WordTrace]") -> None:
    """A line for the bytes of each word, one for each merge, one for the ids."""
    from rich.text import Text

    screen = console.stdout()

    def line(head: str, pieces: Iterable[bytes], merged_at: int = -1, tail: str = "") -> None:
        shown = Text(f"  {head:<12}")
        for at, piece in enumerate(pieces):
            shown.append("" if at == 0 else " ")
            shown.append(visible_bytes(piece), style="bold green" if at == merged_at else "")
        shown.append(tail, style="dim")
        screen.print(shown, soft_wrap=True)

    for word in trace:
        screen.print(Text(visible_bytes(word.text.encode("utf-8")), style="bold"), soft_wrap=True)
        line("bytes", word.pieces)
        for step in word.steps:
            made = f"   {visible_bytes(step.left)} + {visible_bytes(step.right)} = {step.token}"
            line(f"rank {step.rank}", step.pieces, step.position, made)
        screen.print(Text(f"  {'ids':<12}{' '.join(map(str, word.ids))}"), soft_wrap=True)


# create


def _create(args: argparse.Namespace) -> int:
    from ..tokenizer import train_bpe

    output = Path(args.output)
    _check_output(output, args.overwrite)
    files = find_text_files(args.data_dir)
    texts = islice((text for file in files for text in read_texts(file)), args.limit)
    with training_progress() as progress:
        tokenizer = train_bpe(
            texts,
            args.vocab_size,
            lowercase=args.lowercase,
            min_frequency=args.min_frequency,
            progress=progress,
        )
    tokenizer.save(output)
    print(f"{output}: {tokenizer.vocab_size} tokens learned from {', '.join(map(str, files))}")
    if tokenizer.vocab_size < args.vocab_size:
        console.say(
            f"warning: the vocabulary has {tokenizer.vocab_size} tokens, not {args.vocab_size}: no more "
            f"pairs occur {args.min_frequency} times; give more text or a lower --min-frequency"
        )
    return 0


def _check_output(output: Path, overwrite: bool) -> None:
    """Refuse before the work what cannot or should not be written after it."""
    target = output if output.suffix == ".json" and not output.is_dir() else output / "tokenizer.json"
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists: choose another --output, or replace it with --overwrite")
    if output.exists() and target != output and not output.is_dir():
        raise UsageError(f"{output} is a file: --output must be a folder or a name that ends in .json")
    if not output.parent.is_dir():
        raise UsageError(f"the folder {output.parent} of --output does not exist: create it first")


def find_text_files(names: Iterable[str]) -> list[Path]:
    """The .txt and .tsv files that are named or lie in a named folder. DataError if there are none."""
    files: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix in TEXT_SUFFIXES and p.is_file())
            if not found:
                raise DataError(f"{path} holds no {' or '.join(TEXT_SUFFIXES)} file")
            files += found
        elif not path.exists():
            raise DataError(f"{path} does not exist: give a text file or a folder of them")
        elif path.suffix not in TEXT_SUFFIXES:
            raise DataError(f"{path} is neither {' nor '.join(TEXT_SUFFIXES)}: rename or convert it")
        else:
            files.append(path)
    return files


def read_texts(path: Path) -> Iterator[str]:
    """The texts of a .txt file, one a line, or of a .tsv file, one a field.

    A .tsv file with a header that names sentence1 or sentence2 gives those columns, another one every field
    that is not a number. Empty texts are left out. Raises DataError for a line that is not UTF-8 or lacks a
    column.
    """
    lines = read_lines(path)
    if path.suffix != ".tsv":
        yield from filter(None, lines)
        return
    columns: list[int] | None = None
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if number == 1:
            columns = [at for at, name in enumerate(fields) if name.strip().lower() in SENTENCE_COLUMNS]
            if columns:
                continue
        if not columns:
            yield from (field for field in fields if field and not _is_number(field))
        elif len(fields) > columns[-1]:
            yield from (fields[at] for at in columns if fields[at])
        elif line:
            raise DataError(
                f"{path}: line {number} has {len(fields)} columns, but the header names a sentence in column "
                f"{columns[-1] + 1}"
            )


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def training_progress() -> "Iterator[Progress]":
    """A bar on stderr for `train_bpe`, while a person looks at it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = console.stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


# count


class Counts(NamedTuple):
    """What `tokens count` says of one file; rates are 0 where there is nothing to count."""

    file: str
    lines: int
    tokens: int
    words: int  # runs of characters without white space
    characters: int
    bytes: int  # of the lines in UTF-8, without their ends
    exact_lines: int  # lines that their tokens spell exactly (lower-cased, if so set)
    longest_line: int  # its number, from 1
    longest_line_tokens: int

    def rates(self) -> dict[str, float]:
        """Averages: how much text a token holds, and the share of lines that the tokens can spell exactly."""
        return {
            "bytes_per_token": self.bytes / self.tokens if self.tokens else 0.0,
            "tokens_per_word": self.tokens / self.words if self.words else 0.0,
            "coverage": self.exact_lines / self.lines if self.lines else 0.0,
        }


def count_tokens(tokenizer: "Tokenizer", lines: Iterable[str], file: str) -> Counts:
    """Count the lines of one file."""
    from ..tokenizer.lowercase import lower

    n_lines = tokens = words = characters = n_bytes = exact = longest = most = 0
    for n_lines, line in enumerate(lines, 1):
        ids = tokenizer.encode(line)
        tokens += len(ids)
        words += len(line.split())
        characters += len(line)
        n_bytes += len(line.encode("utf-8"))
        expected = lower(line) if tokenizer.lowercase else line
        if tokenizer.add_prefix_space and expected and not expected.startswith(" "):
            expected = " " + expected
        exact += tokenizer.decode(ids) == expected
        if len(ids) > most:
            longest, most = n_lines, len(ids)
    return Counts(file, n_lines, tokens, words, characters, n_bytes, exact, longest, most)


def _count(args: argparse.Namespace) -> int:
    tokenizer = _open_tokenizer(args.tokenizer_path)
    if not args.files:
        _print_vocabulary(tokenizer, args.json)
        return 0
    counts = [
        count_tokens(tokenizer, console.stdin_lines(), "stdin")
        if name == "-"
        else count_tokens(tokenizer, read_lines(name), name)
        for name in args.files
    ]
    rows = [count._asdict() | count.rates() for count in counts]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))
    elif console.stdout_is_terminal():
        _print_counts(rows)
    else:
        print(*rows[0], sep="\t")
        for row in rows:
            print(*(f"{v:.4f}" if isinstance(v, float) else v for v in row.values()), sep="\t")
    return 0


def _print_vocabulary(tokenizer: "Tokenizer", as_json: bool) -> None:
    """What the vocabulary holds: a line for each number."""
    special = set(tokenizer.special_tokens.values())
    lengths = [len(tokenizer.token_bytes(id)) for id in range(tokenizer.vocab_size) if id not in special]
    numbers = {
        "tokens": tokenizer.vocab_size,
        "special_tokens": len(special),
        "single_bytes": sum(length == 1 for length in lengths),
        "longest_in_bytes": max(lengths, default=0),
    }
    if as_json:
        print(json.dumps(numbers))
    else:
        for name, value in numbers.items():
            print(name, value, sep="\t")


def _print_counts(rows: list[dict[str, Any]]) -> None:
    """A column for each file, so that long names and many numbers fit on the screen."""
    from rich.table import Table

    table = Table("", *(row["file"] for row in rows), header_style="bold")
    for name in list(rows[0])[1:]:
        values = [row[name] for row in rows]
        if name == "coverage":
            cells = [f"{value:.2%}" for value in values]
        else:
            cells = [f"{value:.2f}" if isinstance(value, float) else f"{value:,}" for value in values]
        table.add_row(name.replace("_", " "), *cells)
    for column in table.columns[1:]:
        column.justify = "right"
    console.stdout().print(table)
