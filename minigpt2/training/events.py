"""What happens in a training run, as the trainer tells it to whoever listens.

A reporter gets every event in the order in which things happened, from the thread that trains: it must be
quick. `close` comes once, at the end, also when the run ends by an exception, of which there is no event.
`record(event)` is the event as one line of `log.jsonl`.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from ..evaluation.collapse import Collapse
    from .settings import TrainingSettings

# Why a run ended: all epochs done, `max_steps` or `max_seconds` reached, no better validation for `patience`
# validations, or a signal.
REASONS = ("finished", "max_steps", "max_seconds", "patience", "interrupted")


class RunStarted(NamedTuple):
    """Before the first step."""

    settings: "TrainingSettings"
    summary: dict[str, str]  # lines to print: what is trained, on what, where
    steps: int  # optimizer steps of the whole run
    step: int  # steps done before, by the run that this one resumes; 0 for a new run


class StepDone(NamedTuple):
    """The parameters have moved. Reported every `log_every` steps and for the last step of all."""

    step: int  # from 1
    steps: int
    epoch: float  # epochs done, with their fraction
    loss: float  # mean over the steps since the last report
    lr: float  # learning rate of this step
    gradient_norm: float  # joint length of the gradient before clipping
    tokens: int  # seen since the run began, in all its parts
    tokens_per_second: float  # since the last report, validation and checkpoints not counted
    seconds: float  # since the run began, in all its parts
    seconds_left: float | None  # None before there is anything to reckon from


class Validated(NamedTuple):
    """The model has been measured on the validation data."""

    step: int
    metrics: dict[str, float]
    metric: str  # the one of them that decides which model is best
    best: bool  # this is the best model so far
    collapse: "Collapse | None"  # the gauges over the validation vectors; None for a language model
    positives: np.ndarray | None  # cosines (…,) of pairs that belong together, and
    negatives: np.ndarray | None  # of pairs that do not; None where the labels do not say


class Warned(NamedTuple):
    """Something to know that does not stop the run."""

    step: int
    message: str


class CheckpointWritten(NamedTuple):
    """A checkpoint is whole on the disk."""

    step: int
    path: Path
    best: bool  # it holds the best model so far


class RunEnded(NamedTuple):
    """The run has ended by itself or has been asked to end; everything is written."""

    step: int
    reason: str  # one of REASONS
    best_step: int | None  # None without validation
    best_metric: float | None
    seconds: float
    path: Path  # the model directory to use: the best one, or the last one where nothing was validated


Event = RunStarted | StepDone | Validated | Warned | CheckpointWritten | RunEnded

_NAMES: dict[type, str] = {
    RunStarted: "started",
    StepDone: "step",
    Validated: "validated",
    Warned: "warning",
    CheckpointWritten: "checkpoint",
    RunEnded: "ended",
}


class Reporter(Protocol):
    """Shows or stores events."""

    def report(self, event: Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Nothing more comes: restore the terminal, close the file."""


def record(event: Event) -> dict[str, Any]:
    """The event as a dictionary that JSON can hold, "event" first; the cosines are left out.

    A number that is not finite becomes None, because JSON has none such.
    """
    fields = event._asdict()
    fields.pop("positives", None)
    fields.pop("negatives", None)
    return {"event": _NAMES[type(event)]} | {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    return [_plain(part) for part in value]
