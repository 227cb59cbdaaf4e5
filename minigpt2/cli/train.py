"""`minigpt2 train`: learn sentence embeddings, or a language model, from files of pairs or texts."""

import argparse
import dataclasses
import math
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backend import DEVICES
from ..config import NAMED_SIZES
from ..embedding_settings import POOLINGS
from ..errors import DeviceError, OutputError, UsageError
from ..training.schedule import SCHEDULES
from ..training.settings import OBJECTIVE_OPTIONS, OBJECTIVES, TrainingSettings
from ..visible import visible
from . import console
from .options import DEVICE_VARIABLE, positive_int

if TYPE_CHECKING:
    from ..backend import Backend
    from ..encoder import Encoder
    from ..tokenizer import Tokenizer
    from ..training.events import Reporter
    from ..training.examples import TrainingSet
    from ..training.trainer import Trainer, TrainingResult
    from .training_data import DataFiles

HELP = "train a model: from scratch, or further from a model directory"

# The model that is made where nothing is said: small enough for two CPU cores and a few minutes.
DEFAULT_SIZE = {"n_layers": 4, "n_heads": 4, "d_model": 128, "context_size": 128}
DEFAULT_POOLING = "mean"
DEFAULT_VOCABULARY = 8192
SIZE_OPTIONS = ("size", *DEFAULT_SIZE)  # what a model directory decides itself, with
SETTINGS = tuple(field.name for field in dataclasses.fields(TrainingSettings))
TOKENIZER_OPTIONS = ("tokenizer_path", "vocab_size", "lowercase")

REPORTS = 200  # in a run, about, where --log-every leaves it open
TEXTS_WORTH_PROCESSES = 100_000

EXAMPLES = """\
examples:
  minigpt2 train --train-data data_sets/train.tsv --validation-data data_sets/dev.tsv --output-dir out
  minigpt2 train --train-data data_sets/train.tsv --model nano --initial-lr 1e-4 --output-dir tuned
  minigpt2 train --train-data texts.txt.xz --objective language_model --max-seconds 600 --output-dir lm
  minigpt2 train --train-data texts.txt.xz --teacher nano --output-dir student

files, known by their header or name:
  .tsv  id sentence1 sentence2 label    pairs: labels 0 and 1, or scores; parted by tabs, with this header
  .tsv  anchor positive [negative]      texts with one that belongs to each; with or without the header
  .txt, .txt.xz                         one text a line
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` reads."""
    parser.description = (
        "Train a model on pairs, positives or texts. On a terminal a dashboard shows the run;\n"
        "elsewhere there is a line for each report. Ctrl-C saves and stops; the same command\n"
        "with --resume goes on."
    )
    parser.usage = "minigpt2 train --train-data FILE … --output-dir DIR [options]"
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_data_options(parser.add_argument_group("data"))
    _add_model_options(parser.add_argument_group("model"))
    _add_objective_options(parser.add_argument_group("objective"))
    _add_length_options(parser.add_argument_group("how long, and how much at a time"))
    _add_optimizer_options(parser.add_argument_group("optimizer"))
    _add_output_options(parser.add_argument_group("output"))


def _add_data_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--train-data", nargs="+", action="extend", required=True, metavar="FILE", help="what to learn from")
    add(
        "--validation-data",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="pairs with labels to measure the model on, for a language model also texts (default: none, and "
        "then the last model is kept instead of the best)",
    )
    add("--limit-train", type=positive_int, metavar="N", help="use the first N examples only (default: all)")
    add("--limit-validation", type=positive_int, metavar="N", help="the same for validation (default: all)")
    add(
        "--label-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="ends of the scale of scores, for --objective cosine (default: those of the data)",
    )


def _add_model_options(group: argparse._ArgumentGroup) -> None:
    add, size = group.add_argument, DEFAULT_SIZE
    add(
        "--model",
        metavar="DIR",
        help="train this model further: a directory, or nano (default: from scratch)",
    )
    add(
        "--tokenizer-path",
        metavar="PATH",
        help="a tokenizer.json, or a folder with one or with vocab.json and merges.txt (default: learn one "
        "from the training data)",
    )
    add(
        "--vocab-size",
        type=positive_int,
        metavar="N",
        help=f"tokens of the tokenizer to learn (default: {DEFAULT_VOCABULARY}, or fewer where the text has "
        f"no more)",
    )
    add(
        "--lowercase",
        action="store_const",
        const=True,
        help="the tokenizer to learn takes upper and lower case as the same (default: not)",
    )
    add(
        "--size",
        choices=NAMED_SIZES,
        metavar="NAME",
        help=f"{', '.join(NAMED_SIZES)}: a named size, of which the options below change parts (default: "
        f"theirs)",
    )
    add("--n-layers", type=positive_int, metavar="L", help=f"blocks (default: {size['n_layers']})")
    add("--n-heads", type=positive_int, metavar="H", help=f"attention heads (default: {size['n_heads']})")
    add(
        "--d-model",
        type=positive_int,
        metavar="D",
        help=f"width, and length of a vector (default: {size['d_model']})",
    )
    add(
        "--context-size",
        type=positive_int,
        metavar="T",
        help=f"the longest text in tokens; longer ones are cut (default: {size['context_size']})",
    )
    add(
        "--pooling",
        choices=POOLINGS,
        metavar="NAME",
        help=f"{', '.join(POOLINGS)}: how token rows become a vector (default: {DEFAULT_POOLING}, or the "
        f"model's own)",
    )
    add(
        "--dropout",
        type=float,
        metavar="P",
        help="share of numbers that are dropped while training (default: 0, or the model's own)",
    )


def _add_objective_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--objective",
        choices=OBJECTIVES,
        metavar="NAME",
        help=f"{', '.join(OBJECTIVES)}: what to learn (default: contrastive from 0/1 pairs, cosent from "
        "scores, info_nce from positives, distillation from texts with --teacher or --targets, "
        "language_model from other texts)",
    )
    add("--margin", type=float, metavar="X", help=_default_of("margin", "how far apart others must be"))
    add(
        "--temperature",
        type=float,
        metavar="X",
        help=_default_of(
            "temperature",
            "what cosines are divided by before a softmax; for contrastive how round its margin is",
        ),
    )
    add("--alpha", type=float, metavar="X", help=_default_of("alpha", "weight of the regression"))
    add(
        "--symmetric",
        action=argparse.BooleanOptionalAction,
        help="info_nce in both directions (default: yes)",
    )
    add(
        "--matryoshka",
        type=_widths,
        metavar="D,D",
        help="widths whose first numbers alone must serve too, as 32,64 (default: none)",
    )
    add("--teacher", metavar="DIR", help="distillation: learn this model's vectors of the texts")
    add("--targets", metavar="FILE.npy", help="distillation: learn these vectors, a row for each text")


def _default_of(option: str, meaning: str) -> str:
    """Help for an option whose default depends on the objective."""
    users: dict[float, list[str]] = {}
    for objective, options in OBJECTIVE_OPTIONS.items():
        if option in options:
            users.setdefault(options[option], []).append(objective)
    defaults = "; ".join(f"{value:g} for {', '.join(names)}" for value, names in users.items())
    return f"{meaning} (default: {defaults}; other objectives have none)"


def _add_length_options(group: argparse._ArgumentGroup) -> None:
    add, default = group.add_argument, TrainingSettings()
    add("--epochs", type=positive_int, default=5, metavar="N", help="passes over the data (default: 5)")
    add("--max-steps", type=positive_int, metavar="N", help="stop after N optimizer steps (default: never)")
    add("--max-seconds", type=float, metavar="S", help="stop after S seconds (default: never)")
    add(
        "--batch-size",
        type=positive_int,
        default=default.batch_size,
        metavar="N",
        help=f"examples in a batch at most (default: {default.batch_size})",
    )
    add(
        "--batch-tokens",
        type=positive_int,
        metavar="N",
        help="and tokens in it at most (default: any number)",
    )
    add(
        "--accumulate",
        type=positive_int,
        default=default.accumulate,
        metavar="K",
        help=f"batches whose gradients are averaged into one step (default: {default.accumulate})",
    )
    add(
        "--chunk-texts",
        type=positive_int,
        metavar="N",
        help="texts in one forward pass: less memory, the same gradient (default: the whole batch)",
    )
    add(
        "--chunk-tokens",
        type=positive_int,
        metavar="N",
        help="the same for a language model, in tokens (default: the whole batch)",
    )
    add(
        "--recompute",
        action="store_true",
        help="keep only the input of each block and compute the rest again: less memory, more time "
        "(default: keep all)",
    )


def _add_optimizer_options(group: argparse._ArgumentGroup) -> None:
    add, default = group.add_argument, TrainingSettings()
    add(
        "--initial-lr",
        type=float,
        default=default.initial_lr,
        metavar="LR",
        help=f"the learning rate after warm-up, its highest (default: {default.initial_lr:g})",
    )
    add(
        "--schedule",
        choices=tuple(SCHEDULES),
        default=default.schedule,
        help=f"how it falls from there to 0 (default: {default.schedule})",
    )
    add(
        "--warmup",
        type=_share_or_steps,
        default=default.warmup,
        metavar="X",
        help=f"before that: a share of all steps below 1, or a number of steps (default: {default.warmup:g})",
    )
    add(
        "--weight-decay",
        type=float,
        default=default.decay,
        metavar="X",
        help=f"pull of AdamW on matrices towards 0 (default: {default.decay:g})",
    )
    add(
        "--clip",
        type=_number_or_none,
        default=default.clip,
        metavar="X",
        help=f"longest gradient, or none (default: {default.clip:g})",
    )
    add(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="of the large products; the half ones on a GPU only (default: float32)",
    )
    add(
        "--device",
        choices=DEVICES,
        help=f"where to compute (default: ${DEVICE_VARIABLE}, or else auto: the GPU if one is usable)",
    )
    add("--seed", type=int, default=0, metavar="N", help="of all random numbers (default: 0)")


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    add, default = group.add_argument, TrainingSettings()
    add("--output-dir", required=True, metavar="DIR", help="where models, checkpoints and log.jsonl go")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--resume", action="store_true", help="go on with the run that is in --output-dir")
    which.add_argument("--overwrite", action="store_true", help="replace the run that is in --output-dir")
    add(
        "--extend",
        action="store_true",
        help="with --resume: --epochs, --max-steps and --patience may have changed",
    )
    add(
        "--validate-every",
        type=positive_int,
        metavar="N",
        help="steps between two validations (default: twenty in a run)",
    )
    add(
        "--checkpoint-every",
        type=positive_int,
        metavar="N",
        help="steps between two checkpoints (default: as validations)",
    )
    add(
        "--keep",
        type=positive_int,
        default=default.keep_checkpoints,
        metavar="K",
        help=f"newest checkpoints that are kept, beside the best (default: {default.keep_checkpoints})",
    )
    add(
        "--patience",
        type=positive_int,
        metavar="N",
        help="stop after N validations without a better one (default: never)",
    )
    add(
        "--log-every",
        type=positive_int,
        metavar="N",
        help=f"steps between two reports (default: about {REPORTS} reports in a run)",
    )
    add("--no-tui", action="store_true", help="lines instead of the dashboard (TERM=dumb does the same)")
    add("--json", action="store_true", help="every event as a JSON object on a line of stdout")


def run(args: argparse.Namespace) -> int:
    """Train as the arguments say."""
    try:
        return _run(args)
    except UsageError as error:
        raise UsageError(_with_flags(str(error))) from error


def _run(args: argparse.Namespace) -> int:
    from ..training.trainer import Trainer
    from .training_data import read_data_files, require_one_kind_of_use

    _check_combinations(args)
    TrainingSettings(**_settings_of_any_objective(args))  # refuses numbers that make no sense
    backend = _backend(args)
    _check_output(args)
    files = read_data_files(args.train_data, args.limit_train, args.objective)
    objective = args.objective or _usual_objective(args, files)
    _say_data("training data", files)
    validation = None
    if args.validation_data:
        validation = read_data_files(args.validation_data, args.limit_validation, objective="")
        require_one_kind_of_use(validation.kind, objective)
        _say_data("validation data", validation)
    settings = _settings(args, objective, len(files))
    encoder = _encoder(args, files, backend)
    trainer = Trainer(
        encoder,
        _training_set(args, objective, files, encoder),
        settings,
        args.output_dir,
        validation=None if validation is None else validation.data,
        reporters=_reporters(args),
        resume=args.resume,
        overwrite=args.overwrite,
        extend=args.extend,
    )
    result = trainer.run()
    _print_end(args, trainer, result)
    return 130 if result.reason == "interrupted" else 0


# What is refused before any work


def _check_combinations(args: argparse.Namespace) -> None:
    """Raise UsageError for options that contradict each other."""
    if args.model is not None:
        given = [name for name in (*SIZE_OPTIONS, *TOKENIZER_OPTIONS) if getattr(args, name) is not None]
        if given:
            raise UsageError(
                f"--model brings its own size and tokenizer: leave out {_flags(given)}, or leave out --model "
                f"to train from scratch"
            )
    given = [name for name in ("vocab_size", "lowercase") if getattr(args, name) is not None]
    if args.tokenizer_path is not None and given:
        raise UsageError(f"--tokenizer-path brings its own vocabulary: leave out {_flags(given)}")
    if args.teacher is not None and args.targets is not None:
        raise UsageError("--teacher and --targets are two ways to give vectors: leave out one of them")
    if args.objective not in (None, "distillation") and (args.teacher or args.targets):
        raise UsageError(
            f"--teacher and --targets belong to distillation, not to {args.objective}: leave out one of them"
        )
    if args.objective == "distillation" and not (args.teacher or args.targets):
        raise UsageError(
            "distillation learns the vectors of a teacher: give --teacher DIR or --targets FILE.npy"
        )
    if args.validation_data is None and (args.patience or args.validate_every):
        raise UsageError(
            "--patience and --validate-every need --validation-data: give some or leave them out"
        )
    if args.extend and not args.resume:
        raise UsageError("--extend makes a run longer that is resumed: give --resume too")


def _flags(names: Sequence[str]) -> str:
    flags = [f"--{name.replace('_', '-')}" for name in names]
    return flags[0] if len(flags) == 1 else f"{', '.join(flags[:-1])} and {flags[-1]}"


def _with_flags(message: str) -> str:
    """A message with settings called as on the command line, save in a path: initial_lr is --initial-lr."""
    other_names = {"decay": "--weight-decay", "keep_checkpoints": "--keep"}
    names = [name for name in SETTINGS if "_" in name or name in other_names]
    return re.sub(
        rf"(?<![\w/.-])({'|'.join(names)})(?![\w/-]|\.\w)",
        lambda found: other_names.get(found[0]) or f"--{found[0].replace('_', '-')}",
        message,
    )


def _check_output(args: argparse.Namespace) -> None:
    """Refuse now what the trainer would refuse after the data has been read and tokenized."""
    from ..training.run_folder import RunFolder

    if not args.output_dir:
        raise UsageError("--output-dir is empty: give a folder, or . for this one")
    folder = RunFolder(args.output_dir)
    there = folder.path
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise UsageError(f"{there} is a file, not a folder: choose another --output-dir")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(
            f"cannot write in the output directory {folder.path}: no permission to write in {there}"
        )
    folder.require_free(resume=args.resume, overwrite=args.overwrite)


# What is learned


def _usual_objective(args: argparse.Namespace, files: "DataFiles") -> str:
    """The objective for this kind of data, stated."""
    from .training_data import OBJECTIVE_OF_KIND, WORDS_OF_KIND

    objective = OBJECTIVE_OF_KIND[files.kind]
    if files.kind == "texts" and (args.teacher or args.targets):
        objective = "distillation"
    elif args.teacher or args.targets:
        raise UsageError(
            f"--teacher and --targets give a vector for each text of a .txt file, and {files.name} holds "
            f"{WORDS_OF_KIND[files.kind]}"
        )
    console.say(f"objective: {objective}, as usual for {WORDS_OF_KIND[files.kind]} (--objective chooses)")
    return objective


def _say_data(what: str, files: "DataFiles") -> None:
    console.say(f"{what}: {files.name}: {'; '.join(files.statistics)}")


def _settings(args: argparse.Namespace, objective: str, examples: int) -> TrainingSettings:
    chosen = {name: getattr(args, name) for name in ("margin", "temperature", "alpha", "symmetric")}
    if args.objective is None:  # then nobody has said that these options fit together
        for name in [name for name in chosen if name not in OBJECTIVE_OPTIONS[objective]]:
            if chosen.pop(name) is not None:
                users = [other for other, options in OBJECTIVE_OPTIONS.items() if name in options]
                console.say(
                    f"note: {objective} has no {name}, so --{name} changes nothing; --objective chooses one "
                    f"that has: {', '.join(users)}"
                )
    steps = args.epochs * math.ceil(examples / args.batch_size) // args.accumulate
    steps = min(steps, args.max_steps or steps)
    return TrainingSettings(
        objective=objective,
        chunk_texts=args.chunk_texts,
        chunk_tokens=args.chunk_tokens,
        pooling=args.pooling,
        matryoshka=args.matryoshka,
        log_every=args.log_every or max(1, steps // REPORTS),
        **_settings_of_any_objective(args),
        **chosen,
    )


def _settings_of_any_objective(args: argparse.Namespace) -> dict[str, Any]:
    """What can be judged before the data has been read."""
    return {
        "epochs": args.epochs,
        "max_steps": args.max_steps,
        "max_seconds": args.max_seconds,
        "batch_size": args.batch_size,
        "batch_tokens": args.batch_tokens,
        "accumulate": args.accumulate,
        "recompute": args.recompute,
        "initial_lr": args.initial_lr,
        "schedule": args.schedule,
        "warmup": args.warmup,
        "decay": args.weight_decay,
        "clip": args.clip,
        "dropout": args.dropout,
        "precision": "full" if args.precision == "float32" else args.precision,
        "seed": args.seed,
        "validate_every": args.validate_every,
        "checkpoint_every": args.checkpoint_every,
        "keep_checkpoints": args.keep,
        "patience": args.patience,
    }


def _training_set(
    args: argparse.Namespace, objective: str, files: "DataFiles", encoder: "Encoder"
) -> "TrainingSet":
    """The data as the trainer wants it, with a teacher's vectors where it is to learn from one."""
    from ..training.examples import TrainingSet
    from .training_data import read_targets

    many = len(files.all_texts()) >= TEXTS_WORTH_PROCESSES
    options: dict[str, Any] = {"processes": (os.cpu_count() or 1) if many else 1}
    if args.label_range is not None:
        if files.kind not in ("binary", "score"):
            raise UsageError(f"--label-range belongs to pairs with labels, which {files.name} does not hold")
        options["label_range"] = tuple(args.label_range)
    if files.kind == "texts":
        options["name"] = files.name
        if args.targets is not None:
            options["targets"] = read_targets(args.targets, len(files))
        elif objective == "distillation" and args.teacher is not None:
            options["targets"] = _vectors_of_teacher(args, files)
    return TrainingSet.of(files.data, encoder, **options)


def _vectors_of_teacher(args: argparse.Namespace, files: "DataFiles") -> Any:
    """(texts, W) in float32"""
    from ..encoder import load

    teacher = load(args.teacher, device=_device(args))
    console.say(f"embedding {len(files):,} texts with {teacher.path}")
    return teacher.encode(files.data)


# The model


def _device(args: argparse.Namespace) -> str:
    device = args.device or os.environ.get(DEVICE_VARIABLE) or "auto"
    if device not in DEVICES:
        raise UsageError(
            f"{DEVICE_VARIABLE} is {device!r}: set it to one of {', '.join(DEVICES)}, or unset it"
        )
    return device


def _backend(args: argparse.Namespace) -> "Backend":
    """Where to compute. DeviceError for a GPU that is asked for, or needed by --precision, and unusable."""
    from ..backend import choose_backend

    backend = choose_backend(device=_device(args))
    if args.precision != "float32" and backend.device == "cpu":
        raise DeviceError(
            f"--precision {args.precision} needs a GPU, and this run has none: {backend.reason}"
        )
    return backend


def _encoder(args: argparse.Namespace, files: "DataFiles", backend: "Backend") -> "Encoder":
    """The model to train: one that there is, or a new one with random parameters."""
    from ..encoder import load

    if args.model is not None:
        return load(args.model, device=_device(args))
    return _new_encoder(args, _tokenizer(args, files), backend)


def _new_encoder(args: argparse.Namespace, tokenizer: "Tokenizer", backend: "Backend") -> "Encoder":
    from ..config import GPT2Config
    from ..embedding_settings import EmbeddingSettings
    from ..encoder import Encoder
    from ..model import GPT2

    named = NAMED_SIZES[args.size] if args.size else {}
    sizes = {
        name: getattr(args, option) or named.get(name) or DEFAULT_SIZE[option]
        for option, name in (
            ("n_layers", "n_layer"),
            ("n_heads", "n_head"),
            ("d_model", "n_embd"),
            ("context_size", "n_positions"),
        )
    }
    width, heads = sizes["n_embd"], sizes["n_head"]
    if width % heads:
        below = width // heads * heads
        near = f"{below} or {below + heads}" if below else f"{heads}"
        raise UsageError(
            f"--d-model {width} cannot be split evenly over --n-heads {heads}: take a width of {near}"
        )
    config = GPT2Config(vocab_size=tokenizer.vocab_size, **sizes)
    model = GPT2.initialise(config, args.seed, backend.xp, backend.dtype)
    settings = EmbeddingSettings(pooling=args.pooling or DEFAULT_POOLING)
    return Encoder(model, tokenizer, settings, backend)


def _tokenizer(args: argparse.Namespace, files: "DataFiles") -> "Tokenizer":
    from ..tokenizer import load_tokenizer, train_bpe
    from .tokens import training_progress

    if args.tokenizer_path is not None:
        return load_tokenizer(args.tokenizer_path)
    wanted = args.vocab_size or DEFAULT_VOCABULARY
    with training_progress() as progress:
        tokenizer = train_bpe(files.all_texts(), wanted, lowercase=bool(args.lowercase), progress=progress)
    asked = f" (the text has no more for the {wanted:,} asked for)" if tokenizer.vocab_size < wanted else ""
    console.say(
        f"tokenizer: {tokenizer.vocab_size:,} tokens learned from {files.name}{asked}; --tokenizer-path "
        f"takes one that there is"
    )
    return tokenizer


# What is shown


def _reporters(args: argparse.Namespace) -> "list[Reporter]":
    """JSON lines on stdout if asked for, and for a person on stderr the dashboard or plain lines."""
    from ..training.reporters import Dashboard, JsonLines, PlainLines

    reporters: list[Reporter] = [JsonLines(sys.stdout)] if args.json else []
    if sys.stderr is None or (args.json and console.stdout_is_terminal()):
        return reporters
    screen = console.stderr()
    can_draw = sys.stderr.isatty() and not screen.is_dumb_terminal
    return [*reporters, Dashboard(screen) if can_draw and not args.no_tui else PlainLines(screen)]


def _print_end(args: argparse.Namespace, trainer: "Trainer", result: "TrainingResult") -> None:
    """What was reached, where the model is, and what to type next; on stdout unless that is for JSON."""
    from ..training.reporters.wording import count, duration, metric_name, number

    lines = []
    if result.best_metric is not None:
        name = metric_name(trainer.validation.metric)
        at = f"at step {count(result.best_step)} of {count(result.step)}"
        lines.append(f"best {name} on the validation data: {number(result.best_metric)} {at}")
    lines.append(f"model: {result.path}, after {duration(result.seconds)} of training")
    if result.reason == "interrupted":
        lines += ["", "interrupted; to go on where it stopped:", f"  {_command_to_resume(args.arguments)}"]
    else:
        lines += ["", "next:", *(f"  {command}" for command in _next_commands(args, trainer, result))]
    stream = sys.stderr if args.json else sys.stdout
    if stream is not None:
        print(*map(visible, lines), sep="\n", file=stream)


def _command_to_resume(arguments: Sequence[str]) -> str:
    kept = [argument for argument in arguments if argument not in ("--resume", "--overwrite")]
    return shlex.join(["minigpt2", "train", *kept, "--resume"])


def _next_commands(args: argparse.Namespace, trainer: "Trainer", result: "TrainingResult") -> list[str]:
    from ..model_directory import bundled_models

    # The folder of the run stands for its best model, unless it is called like a bundled one.
    model = shlex.quote(str(result.path if args.output_dir in bundled_models() else args.output_dir))
    if trainer.settings.objective == "language_model":
        return [f"minigpt2 train --model {model} --train-data PAIRS.tsv --output-dir DIR"]
    known = [*(args.validation_data or []), *args.train_data]
    beside = [Path(path).with_name("test.tsv") for path in known]
    test = next((str(path) for path in beside if path.exists()), "PAIRS.tsv")
    threshold = ""
    if (
        trainer.validation is not None
        and trainer.validation.kind == "binary"
        and len(args.validation_data) == 1
    ):
        threshold = f" --dev {shlex.quote(args.validation_data[0])}"
    return [
        f"minigpt2 evaluate {model} {shlex.quote(test)}{threshold}",
        f'minigpt2 similarity --model {model} "The cat is sleeping" "A feline is resting"',
    ]


# argparse types


def _share_or_steps(text: str) -> float | int:
    """`0.05` is a share of the run, `200` a number of steps"""
    try:
        return int(text) if text.strip().isdigit() else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a share nor a number of steps") from None


def _number_or_none(text: str) -> float | None:
    try:
        return None if text == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor none") from None


def _widths(text: str) -> tuple[int, ...]:
    """`32,64` -> (32, 64)"""
    return tuple(positive_int(part) for part in text.split(","))
