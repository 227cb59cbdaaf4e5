"""A training run inside a conversation: a copy of the model learns, and nothing is left on the disk.

The run is the ordinary `Trainer`, whose checkpoints and models go into a temporary folder. What it has
learned is taken from memory: the model after its last step, also where a validation before was better, so
that one sees what the training does, overfitting included.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..datasets import Pairs
from ..encoder import Encoder
from ..errors import OutputError
from ..training.events import CheckpointWritten, Event, Reporter, RunEnded, RunStarted, StepDone, Validated
from ..training.trainer import Trainer, TrainingResult
from .interrupts import Interrupts

if TYPE_CHECKING:
    from ..training.examples import TrainingSet
    from ..training.settings import TrainingSettings

HERE = Path("in this conversation")  # what stands for the temporary folder in messages
NOT_SHOWN = (
    "model",
    "device",
    "optimizer",
    "output",
)  # of the start of a run: /model tells them, or nobody asks


class LiveRun(NamedTuple):
    """What came of it."""

    encoder: Encoder  # as it is after the last step
    result: TrainingResult
    steps: int  # of the whole run, done or not
    epochs: float  # done
    losses: list[float]  # as they were reported
    validated: dict[int, Validated]  # by step


def run_live(
    encoder: Encoder,
    data: "TrainingSet",
    settings: "TrainingSettings",
    validation: Pairs | list[str] | None,
    reporter: Reporter,
    interrupts: Interrupts,
    note: str = "",
) -> LiveRun:
    """Train a copy of `encoder`, until it is done or Ctrl-C. `note` is a line for the start of the run.

    Raises KeyboardInterrupt for a second Ctrl-C, and what `Trainer` raises; the temporary folder is gone and
    the reporter closed in every case.
    """
    with interrupts.held():
        try:
            folder = tempfile.mkdtemp(prefix="minigpt2-train-")
        except OSError as error:
            reason = (error.strerror or "refused").lower()
            raise OutputError(f"cannot make a temporary folder: {reason}") from error
        listener = _Listener(reporter, interrupts)
        try:
            trainer = Trainer(
                encoder, data, settings, Path(folder, "run"), validation=validation, reporters=[listener]
            )
            trainer.notes += [note] if note else []
            result = trainer.run()
        finally:
            reporter.close()  # again, where a second Ctrl-C has ended the first time
            shutil.rmtree(folder, ignore_errors=True)
    return LiveRun(
        trainer.encoder, result, trainer.steps, listener.epochs, listener.losses, listener.validated
    )


def reporter_for(person: bool, interrupts: Interrupts) -> tuple[Reporter, bool]:
    """What shows the run on stderr, and whether it draws: a dashboard for a person, else lines."""
    from ..cli import console
    from ..training.reporters import Dashboard, PlainLines

    if sys.stderr is None:
        return _Silent(), False
    screen = console.stderr()
    draws = person and sys.stderr.isatty() and not screen.is_dumb_terminal
    if not draws:
        return PlainLines(screen, saves=False), False
    return Dashboard(screen, saves=False, stopping=lambda: interrupts.presses > 0), True


class _Listener:
    """Passes events on, without the paths of the temporary folder, and remembers what the reply needs."""

    def __init__(self, reporter: Reporter, interrupts: Interrupts) -> None:
        self._reporter, self._interrupts = reporter, interrupts
        self.epochs = 0.0
        self.losses: list[float] = []
        self.validated: dict[int, Validated] = {}

    def report(self, event: Event) -> None:
        if isinstance(event, CheckpointWritten):
            return
        if isinstance(event, RunStarted):
            self._interrupts.attach()
            summary = {name: line for name, line in event.summary.items() if name not in NOT_SHOWN}
            event = event._replace(summary=summary)
        elif isinstance(event, StepDone):
            self.epochs = event.epoch
            self.losses.append(event.loss)
        elif isinstance(event, Validated):
            self.validated[event.step] = event
        elif isinstance(event, RunEnded):
            event = event._replace(path=HERE)
        self._reporter.report(event)

    def close(self) -> None:
        self._reporter.close()


class _Silent:
    """For a program whose stderr is closed."""

    def report(self, event: Event) -> None:
        pass

    def close(self) -> None:
        pass
