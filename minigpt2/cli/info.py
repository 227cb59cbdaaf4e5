"""`minigpt2 info`: what a model consists of: its parts, their shapes, parameters and memory."""

import argparse
import json
import math
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from ..visible import visible
from . import console
from .options import add_model_option

if TYPE_CHECKING:
    from ..model_directory import ModelFiles

HELP = "show a model's architecture, parameters and memory"

BYTES_A_NUMBER = {"float32": 4, "float16": 2}


class Part(NamedTuple):
    """A line of the architecture tree: one tensor group, or a group of lines below it."""

    name: str
    meaning: str
    depth: int
    shapes: tuple[tuple[int, ...], ...]  # of weight and bias, in one block; () for a group
    times: int  # in how many blocks it occurs
    parameters: int  # in all of them together


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.add_argument(
        "directory", nargs="?", metavar="MODEL", help="a model directory or a bundled name (default: nano)"
    )
    add_model_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Read the model, which checks it too, and describe it."""
    from ..errors import UsageError
    from ..model_directory import find_model, read_model_directory

    if args.directory is not None and args.model is not None:
        raise UsageError("give the model once: as an argument or with --model")
    files = read_model_directory(find_model(args.model if args.directory is None else args.directory))
    if args.json:
        sys.stdout.write(json.dumps(_as_json(files), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(files)
    return 0


def parts_of(files: "ModelFiles") -> list[Part]:
    """The architecture from input to output; the L blocks, which are alike, stand once."""
    config, shapes = files.config, files.parameters.shapes
    L = config.L

    def tensors(prefix: str) -> tuple[tuple[int, ...], ...]:
        return tuple(shape for name, shape in shapes.items() if name.startswith(prefix + "."))

    def part(name: str, meaning: str, depth: int, prefix: str, times: int = 1, group: bool = False) -> Part:
        found = tensors(prefix)
        total = times * sum(math.prod(shape) for shape in found)
        return Part(name, meaning, depth, () if group else found, times, total)

    blocks = f"h.0 … h.{L - 1}" if L > 1 else "h.0"
    return [
        part("wte", "token embedding", 0, "wte"),
        part("wpe", "position embedding", 0, "wpe"),
        part(blocks, f"{L} blocks, one shown" if L > 1 else "1 block", 0, "h.0", L, group=True),
        part("ln_1", "layernorm", 1, "h.0.ln_1", L),
        part("attn", f"{config.attention}, {config.H} heads of {config.K}", 1, "h.0.attn", L, group=True),
        part("c_attn", "query, key, value", 2, "h.0.attn.c_attn", L),
        part("c_proj", "merge of the heads", 2, "h.0.attn.c_proj", L),
        part("ln_2", "layernorm", 1, "h.0.ln_2", L),
        part("mlp", "GELU between", 1, "h.0.mlp", L, group=True),
        part("c_fc", "widen", 2, "h.0.mlp.c_fc", L),
        part("c_proj", "narrow", 2, "h.0.mlp.c_proj", L),
        part("ln_f", "last layernorm", 0, "ln_f"),
    ]


def _facts(files: "ModelFiles") -> list[tuple[str, str]]:
    config, settings, tokenizer = files.config, files.settings, files.tokenizer
    size = files.parameters.flat.size
    memory = ", ".join(f"{size * n / 1e6:,.1f} MB in {dtype}" for dtype, n in BYTES_A_NUMBER.items())
    window = min(settings.max_seq_length or config.n_positions, config.n_positions)
    positions = f" (of {config.n_positions} positions)" if window < config.n_positions else ""
    words = "none: give the directory a tokenizer.json to embed text"
    if tokenizer is not None:
        case = ", lower-cased" if tokenizer.lowercase else ""
        words = f"{type(tokenizer).__name__}, {tokenizer.vocab_size:,} tokens{case}"
    unit = ", normalised to length 1" if settings.normalize else ", not normalised"
    prompts = ", ".join(f"{visible(name)} {text!r}" for name, text in settings.prompts.items()) or "none"
    return [
        ("parameters", f"{size:,}"),
        ("memory", memory),
        ("head", "shares the token embedding, so it costs nothing"),
        ("window", f"{window} tokens{positions}"),
        ("vector", f"{config.D} numbers, {settings.pooling} pooling{unit}"),
        ("tokenizer", words),
        ("prompts", prompts),
    ]


def _print(files: "ModelFiles") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console.stdout()
    out.print(Text(str(files.path), style="bold"), soft_wrap=True)
    parts = parts_of(files)
    total = files.parameters.flat.size
    table = Table(
        box=box.SIMPLE_HEAD if console.stdout_is_terminal() else None, show_edge=False, pad_edge=False
    )
    table.add_column("part", no_wrap=True)
    table.add_column("", style="dim")
    table.add_column("shape", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    for i, part in enumerate(parts):
        style = "dim" if not part.shapes else ""
        table.add_row(
            Text.assemble((_guide(parts, i), "dim"), (part.name, "bold cyan" if part.depth == 0 else "cyan")),
            part.meaning,
            _shape(part),
            Text(f"{part.parameters:,}", style=style),
            Text(f"{100 * part.parameters / total:.1f} %", style=style),
        )
    out.print(table)
    out.print()
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for row in _facts(files):
        facts.add_row(*row)
    out.print(facts)


def _guide(parts: list[Part], i: int) -> str:
    """The lines of the tree in front of part i, from whether a sibling follows at each depth."""

    def sibling_follows(depth: int) -> bool:
        below = (part.depth for part in parts[i + 1 :])
        return next((d == depth for d in below if d <= depth), False)

    depth = parts[i].depth
    above = "".join("│  " if sibling_follows(d) else "   " for d in range(depth))
    return above + ("├─ " if sibling_follows(depth) else "└─ ")


def _shape(part: Part) -> str:
    return " + ".join("×".join(map(str, shape)) for shape in part.shapes)


def _as_json(files: "ModelFiles") -> dict[str, Any]:
    config, settings, tokenizer = files.config, files.settings, files.tokenizer
    size = files.parameters.flat.size
    return {
        "path": str(files.path),
        "config": config.to_dict(),
        "parameters": size,
        "memory_bytes": {dtype: size * n for dtype, n in BYTES_A_NUMBER.items()},
        "parts": [
            {
                "name": part.name,
                "meaning": part.meaning,
                "depth": part.depth,
                "shapes": [list(shape) for shape in part.shapes],
                "times": part.times,
                "parameters": part.parameters,
                "share": part.parameters / size,
            }
            for part in parts_of(files)
        ],
        "window": min(settings.max_seq_length or config.n_positions, config.n_positions),
        "dimensions": config.D,
        "pooling": settings.pooling,
        "normalize": settings.normalize,
        "prompts": dict(settings.prompts),
        "default_prompt_name": settings.default_prompt_name,
        "tokenizer": None
        if tokenizer is None
        else {
            "type": type(tokenizer).__name__,
            "vocab_size": tokenizer.vocab_size,
            "lowercase": tokenizer.lowercase,
            "special_tokens": dict(tokenizer.special_tokens),
        },
    }
