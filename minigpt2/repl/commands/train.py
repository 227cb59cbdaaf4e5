"""`/train FILE`: fine-tune the model of this conversation, live, and see what it does to the kept sentences."""

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DivergedError, OutputError, UsageError
from ...training.settings import OBJECTIVES
from ..interrupts import Interrupts
from ..line import Arguments, Option
from ..paths import only_word, typed_path
from ..reply import Reply
from ..session import Session

if TYPE_CHECKING:
    from ...cli.training_data import DataFiles
    from ...encoder import Encoder
    from ...training.validation import Measured
    from ...views import View
    from ..live_training import LiveRun
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
A copy of the model learns from FILE, as `minigpt2 train --model` would: {STEPS} steps of {BATCH_SIZE} examples, \
unless told
otherwise. Then come the measures and the cosines of the kept sentences, before and after. Ctrl-C stops and
keeps what has been learned so far; a second one drops it. /undo takes it back, /save writes it.
Without --validation the model is measured on FILE itself, which only says how well it has learned these
examples. Another file of the same kind shows what carries over: data_sets/dev.tsv takes half a minute to a
minute on two cores, and the AUC rises from 0.71 to 0.94 there but from 0.69 to 0.87 on data_sets/test.tsv.
That gap is overfitting, and it grows with --steps. Sentences of other kinds move too: "The cat is sleeping"
and "The cat is not sleeping" part (0.95 to 0.82), but sentences that have nothing in common may come closer."""
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

MEASURED = 400  # examples of a file on which the model is measured
VALIDATIONS = 5
LINES = 20  # where there is no dashboard, about so many in a run

# Which measures of `evaluation.pairs` are shown, in this order.
SHOWN = ("auc", "accuracy", "spearman", "pearson", "loss", "perplexity")


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


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
        raise UsageError(f"/train --objective is one of {', '.join(OBJECTIVES_HERE)}, not {name!r}{hint}")
    return name


def _file(name: str) -> str:
    return typed_path(NAME, name)


OPTIONS = (
    Option("--steps", f"optimizer steps, a whole number of at least 1 (default {STEPS})", "N", _count),
    Option("--epochs", "passes over FILE instead, a whole number of at least 1", "N", _count),
    Option("--lr", f"the highest learning rate, a number above 0 (default {LEARNING_RATE:g})", "X", _rate),
    Option("--batch-size", f"examples in a step, at least 1 (default {BATCH_SIZE})", "N", _count),
    Option(
        "--objective",
        f"{', '.join(OBJECTIVES_HERE)}: what to learn (default: as usual for the kind of FILE)",
        "NAME",
        _objective,
        completes="objective",
    ),
    Option("--validation", "pairs or texts to measure the model on", "FILE", _file, "file"),
    Option("--seed", "of the order of the examples, a whole number (default 0)", "N", _seed),
)


def run(session: Session, arguments: Arguments) -> Reply:
    """Train, embed the kept sentences anew, and compare."""
    from ..moves import data_of, moves_between

    path = only_word(NAME, arguments.words, "file")
    with Interrupts() as interrupts:
        try:
            measures, live, of_run = _train(session, path, arguments.options, interrupts)
        except UsageError as error:
            raise UsageError(_with_our_options(str(error))) from error
        except DivergedError as error:
            raise DivergedError(_without_checkpoint(_with_our_options(str(error)))) from error
        except OutputError as error:
            raise OutputError(
                f"{error}; training needs room for a while in a temporary folder, which TMPDIR names"
            ) from error
        data = of_run | {
            "measures": [{"file": name, "before": before, "after": after} for name, before, after in measures]
        }
        if live.result.step == 0:
            return Reply((_said_nothing(),), data)
        before = session.vectors  # (M, D)
        session.use(live.encoder, undo=f"/train {path}")
        moves = moves_between(session.sentences, before, session.vectors)
        data |= data_of(moves)
    return Reply((_view(data, moves),), data)


def _train(
    session: Session, path: str, options: Any, interrupts: Interrupts
) -> "tuple[list[tuple[str, dict, dict]], LiveRun, dict[str, Any]]":
    """For each file that is measured its measures before and after, the run, and what is said of it"""
    from ...cli.training_data import OBJECTIVE_OF_KIND, read_data_files, require_one_kind_of_use
    from ...training.examples import TrainingSet
    from ...training.settings import TrainingSettings
    from ..live_training import reporter_for, run_live

    files = read_data_files([path], None, options["objective"])
    objective = options["objective"] or OBJECTIVE_OF_KIND[files.kind]
    other = None
    if options["validation"] is not None:
        other = read_data_files([options["validation"]], None, objective="")
        require_one_kind_of_use(other.kind, objective)
    seed = options["seed"] or 0
    batch_size = options["batch_size"] or BATCH_SIZE
    data = TrainingSet.of(files.data, session.encoder)
    steps, epochs = _length(options, len(data), batch_size)
    reporter, draws = reporter_for(session.interactive)
    settings = TrainingSettings(
        objective=objective,
        epochs=epochs,
        max_steps=steps,
        initial_lr=options["lr"] or LEARNING_RATE,
        batch_size=batch_size,
        seed=seed,
        checkpoint_every=1_000_000_000,
        keep_checkpoints=1,
        log_every=1 if draws else max(1, (steps or epochs * len(data) // batch_size) // LINES),
    )
    itself = _measurable(files, objective, seed)
    sample = itself if other is None else _measurable(other, objective, seed)
    if other is not None and sample is None:
        raise UsageError(f"{other.name}: every label is the same, so measuring on it tells nothing")
    if sample is not None:
        about = steps or epochs * math.ceil(len(data) / batch_size)
        settings = settings.replace(validate_every=max(1, about // VALIDATIONS))
    first = _measure(itself, session.encoder, objective) if other is not None else None
    note = "" if other is not None or sample is None else "validated on the training data itself"
    live = run_live(session.encoder, data, settings, sample, reporter, interrupts, note)

    measures = []
    if other is not None and itself is not None:
        measures.append((files.name, first, _measure(itself, live.encoder, objective)))
    if sample is not None:
        name = files.name if other is None else other.name
        before, after = live.validated.get(0), live.validated.get(live.result.step)
        last = _numbers(after) if after else _measure(sample, live.encoder, objective)
        measures.append((name, _numbers(before), last))
    result = live.result
    of_run = {
        "file": path,
        "validation": options["validation"],
        "objective": objective,
        "learning_rate": settings.initial_lr,
        "batch_size": batch_size,
        "seed": seed,
        "steps": result.step,
        "steps_planned": live.steps,
        "epochs": live.epochs,
        "ended": result.reason,
        "training_seconds": result.seconds,
        "tokens": result.tokens,
        "loss": {"first": live.losses[0], "last": live.losses[-1]} if live.losses else None,
        "measured_examples": {
            name: _size(some)
            for name, some in ((files.name, itself), (other.name if other else "", sample if other else None))
            if some is not None
        },
    }
    return measures, live, of_run


def _length(options: Any, examples: int, batch_size: int) -> tuple[int | None, int]:
    """The steps at most (None: as many as the epochs have), and the epochs"""
    if options["steps"] is None and options["epochs"] is not None:
        return None, options["epochs"]
    steps = options["steps"] or STEPS
    enough = math.ceil(steps / max(1, examples // batch_size))
    return steps, min(options["epochs"] or enough, enough)


# What is measured


def _measurable(files: "DataFiles", objective: str, seed: int) -> Any:
    """A sample of the examples on which this objective can be measured; None where there are none such."""
    from ...datasets import Pairs

    data = files.data
    if objective == "language_model" and isinstance(data, list):
        return [data[i] for i in _sample(len(data), seed)]
    if not isinstance(data, Pairs):
        return None
    rows = _sample(len(data.ids), seed)
    sample = data._replace(
        ids=[data.ids[i] for i in rows],
        first=[data.first[i] for i in rows],
        second=[data.second[i] for i in rows],
        labels=data.labels[rows],
    )
    return sample if objective == "language_model" or len(np.unique(sample.labels)) > 1 else None


def _sample(examples: int, seed: int) -> np.ndarray:
    """(m,) up to MEASURED of them, in their order"""
    return np.sort(np.random.default_rng(seed).permutation(examples)[:MEASURED])


def _size(sample: Any) -> int:
    return len(sample if isinstance(sample, list) else sample.ids)


def _measure(sample: Any, encoder: "Encoder", objective: str) -> dict[str, float] | None:
    from ...training.validation import Validation

    if sample is None:
        return None
    return _numbers(Validation(sample, encoder, objective).measure(encoder))


def _numbers(measured: "Measured | Any") -> dict[str, float]:
    """The measures of a validation, and where the cosines lie that they are made of"""
    numbers = {name: measured.metrics[name] for name in SHOWN if name in measured.metrics}
    for name, cosines in (
        ("mean cosine together", measured.positives),
        ("mean cosine apart", measured.negatives),
    ):
        if cosines is not None and len(cosines):
            numbers[name] = float(np.mean(cosines))
    if measured.collapse is not None:
        numbers["mean cosine of random pairs"] = float(measured.collapse.mean_cosine)
    return {name: float(value) for name, value in numbers.items()}


# What is shown


def _view(data: dict[str, Any], moves: "Moves") -> "View":
    from ...training.reporters.wording import metric_name
    from ...views import Heading, Paragraph, Stack, Table
    from ..moves import views_of

    views: list[View] = [Paragraph(_summary(data))]
    for measure in data["measures"]:
        before, after = measure["before"], measure["after"]
        rows = [
            (metric_name(name), before[name], after[name], f"{after[name] - before[name]:+.3f}")
            for name in after
            if name in before
        ]
        examples = data["measured_examples"][measure["file"]]
        seen = "learned from" if measure["file"] == data["file"] else "not learned from"
        views += [
            Heading(measure["file"], f"{seen}; measured on {examples:,} examples"),
            Table(("", "before", "after", "change"), rows),
        ]
    hint = Paragraph("/undo takes it back; /save DIR writes the model.", "dim")
    return Stack(*views, *views_of(moves), hint)


def _summary(data: dict[str, Any]) -> str:
    from ...training.reporters.wording import count, duration, number

    text = (
        f"Learned from {data['file']}: {count(data['steps'])} steps of {data['batch_size']} examples "
        f"({data['epochs']:.2f} passes), objective {data['objective']}, learning rate "
        f"{data['learning_rate']:g}, in {duration(data['training_seconds'])}; the loss went from "
        f"{number(data['loss']['first'])} to {number(data['loss']['last'])}."
    )
    if data["ended"] == "interrupted":
        text += f"\nStopped after step {count(data['steps'])} of {count(data['steps_planned'])}: what was learned until then is kept."
    return text


def _said_nothing() -> "View":
    from ...views import Paragraph

    return Paragraph("Stopped before the first step: the model is as before.")


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
    """The trainer tells which checkpoint is left; here none is, and the model is as it was."""
    return message.rpartition("; ")[0] + "; the model is as before"
