"""`/train FILE`: fine-tune the model of this conversation, live, and see what it does to the sentences."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import DivergedError, OutputError, UsageError
from ...files import shorten
from ...training.settings import OBJECTIVES
from ..asking import at_least_one
from ..interrupts import Interrupts
from ..line import Arguments, Option
from ..paths import only_word, typed_path
from ..reply import Reply
from ..session import Session
from ..wording import counted

if TYPE_CHECKING:
    from ...encoder import Encoder
    from ...training.settings import TrainingSettings
    from ...views import View
    from ..moves import Moves

NAME = "train"
USAGE = (
    "/train FILE [--steps N] [--epochs N] [--lr X] [--batch-size N] [--objective NAME] [--validation FILE] "
    "[--seed N]"
)
SUMMARY = "fine-tune the model live; before and after, undo"

STEPS = 80
LEARNING_RATE = 2e-4
BATCH_SIZE = 32

DETAILS = f"""\
A copy of the model learns from FILE, as `minigpt2 train --model` does: {STEPS} steps of {BATCH_SIZE}
examples unless told otherwise. Then come the measures and the cosines of the kept sentences, before and
after. Ctrl-C stops and keeps what has been learned so far; a second one drops it. /undo takes it back,
/save writes it.
Without --validation the model is measured on FILE itself, which only says how well it has learned these
examples. Another file of the same kind shows what carries over: data_sets/dev.tsv takes half a minute to a
minute on two cores, and the AUC rises from 0.71 to 0.94 there but from 0.69 to 0.87 on data_sets/test.tsv.
That gap is overfitting. Sentences of other kinds move too: "The cat is sleeping" and "The cat is not
sleeping" part (0.95 to 0.82), but sentences that have nothing in common may come closer."""
EXAMPLES = (
    "The cat is sleeping",
    "The cat is not sleeping",
    "A feline is resting",
    "/train data_sets/dev.tsv --steps 2 --batch-size 8",
    "/undo",
)
FORM = "words"
COMPLETES = "file"

OBJECTIVES_HERE = tuple(name for name in OBJECTIVES if name != "distillation")  # which needs a teacher

VALIDATIONS = 5
LINES = 20  # where there is no dashboard, about so many in a run
CHUNK_TEXTS, CHUNK_TOKENS = 512, 16_384  # in one forward pass: a huge batch must not fill the memory
NEVER = 1_000_000_000  # steps: a checkpoint would not outlive the run


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0.0 < value < math.inf:
        raise ValueError
    return value


def _objective(name: str) -> str:
    if name not in OBJECTIVES_HERE:
        hint = (
            ": distillation needs a teacher, which `minigpt2 train` takes" if name == "distillation" else ""
        )
        raise UsageError(
            f"/train --objective is one of {', '.join(OBJECTIVES_HERE)}, not {shorten(name)}{hint}"
        )
    return name


def _file(name: str) -> str:
    return typed_path(NAME, name)


OPTIONS = (
    Option("--steps", f"optimizer steps, a whole number of at least 1 (default {STEPS})", "N", at_least_one),
    Option("--epochs", "passes over FILE instead, a whole number of at least 1", "N", at_least_one),
    Option("--lr", f"the highest learning rate, a number above 0 (default {LEARNING_RATE:g})", "X", _rate),
    Option("--batch-size", f"examples in a step, at least 1 (default {BATCH_SIZE})", "N", at_least_one),
    Option(
        "--objective",
        f"{', '.join(OBJECTIVES_HERE)}: what to learn (default: what suits FILE)",
        "NAME",
        _objective,
        completes="objective",
    ),
    Option("--validation", "pairs or texts to measure the model on", "FILE", _file, "file"),
    Option("--seed", "of the order of the examples, a whole number (default 0)", "N", _seed),
)


def run(session: Session, arguments: Arguments) -> Reply:
    """Train, embed the kept sentences anew, and compare."""
    from ...views import Paragraph
    from ..moves import data_of, moves_between

    path = only_word(NAME, arguments.words, "file")
    with Interrupts() as interrupts:
        try:
            data, encoder = _train(session, path, arguments.options, interrupts)
        except UsageError as error:
            raise UsageError(_with_our_options(str(error))) from error
        except DivergedError as error:
            raise DivergedError(_without_checkpoint(_with_our_options(str(error)))) from error
        except OutputError as error:
            room = "training needs room for a while in a temporary folder, which TMPDIR names"
            raise OutputError(f"{error}; {room}") from error
        if not data["steps"]:
            return Reply((Paragraph("Stopped before the first step: the model is as before."),), data)
        before = session.vectors  # (M, D)
        session.use(encoder, undo=f"/train {path}")
        moves = moves_between(session.sentences, before, session.vectors)
        data |= data_of(moves)
    return Reply((_view(data, moves),), data)


def _train(
    session: Session, path: str, options: Mapping[str, Any], interrupts: Interrupts
) -> "tuple[dict[str, Any], Encoder]":
    """What is said of the run, with the measures before and after, and the encoder as it is then"""
    from ...cli.training_data import OBJECTIVE_OF_KIND, read_data_files, require_one_kind_of_use
    from ...training.examples import TrainingSet
    from ..live_training import reporter_for, run_live
    from ..measures import numbers_of, sample_of

    files = read_data_files([path], None, options["objective"])
    objective = options["objective"] or OBJECTIVE_OF_KIND[files.kind]
    seed = options["seed"] or 0
    itself = measured = sample_of(files, objective, seed)
    if options["validation"] is not None:
        other = read_data_files([options["validation"]], None, objective="")
        require_one_kind_of_use(other.kind, objective)
        measured = sample_of(other, objective, seed)
        if measured is None:
            raise UsageError(f"{other.name}: all labels are the same, so measuring on it tells nothing")
    learned = itself if measured is not itself else None  # measured beside the validation of the run
    data = TrainingSet.of(files.data, session.encoder)
    reporter, draws = reporter_for(session.interactive, interrupts)
    settings = _settings(options, objective, len(data), draws, validated=measured is not None)

    before = None if learned is None else learned.measure(session.encoder)
    validation = None if measured is None else measured.data
    note = "" if measured is None or learned else "validated on examples that it learns from"
    live = run_live(session.encoder, data, settings, validation, reporter, interrupts, note)
    result = live.result
    measures = []
    if learned is not None:
        measures.append((learned, before, learned.measure(live.encoder)))
    if measured is not None:
        last = live.validated.get(result.step)  # none where it was stopped in between
        after = measured.measure(live.encoder) if last is None else numbers_of(last)
        measures.append((measured, numbers_of(live.validated[0]), after))
    said = {
        "file": path,
        "validation": options["validation"],
        "objective": objective,
        "learning_rate": settings.initial_lr,
        "batch_size": settings.batch_size,
        "seed": seed,
        "steps": result.step,
        "steps_planned": live.steps,
        "epochs": live.epochs,
        "ended": result.reason,
        "training_seconds": result.seconds,
        "tokens": result.tokens,
        "loss": {"first": live.losses[0], "last": live.losses[-1]} if live.losses else None,
        "measures": [
            {"file": sample.name, "examples": sample.examples, "before": before, "after": after}
            for sample, before, after in measures
        ],
    }
    return said, live.encoder


def _settings(
    options: Mapping[str, Any], objective: str, examples: int, draws: bool, validated: bool
) -> "TrainingSettings":
    """`draws`: each step is shown and not only some of them."""
    from ...training.settings import TrainingSettings

    batch_size = options["batch_size"] or BATCH_SIZE
    batches = max(1, examples // batch_size)  # of an epoch, at least
    steps, epochs = options["steps"], options["epochs"]
    if steps is None and epochs is None:
        steps = STEPS
    if steps is not None:
        epochs = min(epochs or steps, math.ceil(steps / batches))
    about = steps or epochs * batches
    is_model = objective == "language_model"
    return TrainingSettings(
        objective=objective,
        epochs=epochs,
        max_steps=steps,
        initial_lr=options["lr"] or LEARNING_RATE,
        batch_size=batch_size,
        chunk_texts=None if is_model else CHUNK_TEXTS,
        chunk_tokens=CHUNK_TOKENS if is_model else None,
        seed=options["seed"] or 0,
        validate_every=max(1, about // VALIDATIONS) if validated else None,
        checkpoint_every=NEVER,
        keep_checkpoints=1,
        log_every=1 if draws else max(1, about // LINES),
    )


# What is shown


def _view(data: dict[str, Any], moves: "Moves") -> "View":
    from ...training.reporters.wording import metric_name
    from ...views import Heading, Paragraph, Stack, Table
    from ..moves import views_of

    views: list[View] = [Paragraph(_summary(data))]
    for measure in data["measures"]:
        before, after = measure["before"], measure["after"]
        rows = [
            (
                metric_name(name),
                _measure(before[name]),
                _measure(after[name]),
                _measure(after[name] - before[name], "+"),
            )
            for name in after
            if name in before
        ]
        seen = "learned from" if measure["file"] == data["file"] else "not learned from"
        views += [
            Heading(measure["file"], f"{seen}; measured on {measure['examples']:,} examples"),
            Table(("", "before", "after", "change"), rows, align=("left", "right", "right", "right")),
        ]
    hint = Paragraph("/undo takes it back; /save DIR writes the model.", "dim")
    return Stack(*views, *views_of(moves), hint)


def _summary(data: dict[str, Any]) -> str:
    from ...training.reporters.wording import count, duration, number

    text = (
        f"Learned from {data['file']}: {counted(data['steps'], 'step')} of up to "
        f"{counted(data['batch_size'], 'example')} ({data['epochs']:.2f} passes), objective "
        f"{data['objective']}, learning rate {data['learning_rate']:g}, in "
        f"{duration(data['training_seconds'])}"
    )
    if not data["measures"]:  # which tell more than the losses of two batches
        text += f"; the loss was {number(data['loss']['first'])} on the first batch and "
        text += f"{number(data['loss']['last'])} on the last"
    text += "."
    if data["ended"] == "interrupted":
        steps = f"{count(data['steps'])} of {count(data['steps_planned'])}"
        text += f"\nStopped after step {steps}: what was learned until then is kept."
    if data["objective"] == "language_model":
        text += "\nThe model learned to guess the next token, as from texts without labels. That is not what"
        text += " makes sentence vectors good: look at the cosines before and after, and /undo takes it back."
    return text


def _measure(value: float, sign: str = "") -> str:
    """A measure in three digits or so: 0.233, 9.75, 17,076."""
    digits = 3 if abs(value) < 1.0 else 2 if abs(value) < 10.0 else 1 if abs(value) < 100.0 else 0
    return f"{value:{sign},.{digits}f}"


# Errors of the trainer, in the words of this command

FLAGS = {
    "--validation-data": "--validation",
    "--initial-lr": "--lr",
    "initial_lr": "--lr",
    "batch_size": "--batch-size",
}


def _with_our_options(message: str) -> str:
    for theirs, ours in FLAGS.items():
        message = re.sub(rf"(?<![\w-]){theirs}(?![\w-])", ours, message)
    return message


def _without_checkpoint(message: str) -> str:
    """The trainer tells of a checkpoint that is gone and of a warm-up that cannot be chosen here."""
    message = message.rpartition("; ")[0].replace(" or use a longer warm-up", "")
    return f"{message}; the model is as before"
