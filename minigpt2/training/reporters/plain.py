"""Plain lines for a log, a pipe or a terminal that cannot draw: one line an event, on stderr.

step  120/1200  epoch 0.5  loss 0.2310  lr 9.60e-04  gradient 0.914  52,310 tokens/s  0:12, 1:48 left
step  200/1200  validation: AUC 0.8714 (best so far), accuracy 0.8020; cosines: mean 0.12, …
step  200/1200  checkpoint: out/checkpoints/step-00000200
step  200/1200  warning: …

At a terminal a line that is too long is wrapped between words, what follows beside its beginning.
"""

from typing import TYPE_CHECKING

from ...visible import visible
from ..events import CheckpointWritten, Event, RunEnded, RunStarted, StepDone, Validated, Warned
from .wording import ENDINGS, INTERRUPTED_IN_MEMORY, count, duration, metric_name, number, rate

if TYPE_CHECKING:
    from rich.console import Console


class PlainLines:
    """One line an event, in colour only where a person looks at a terminal."""

    def __init__(self, screen: "Console", *, saves: bool = True) -> None:
        """`screen`: where to print, usually `cli.console.stderr()`.

        `saves`: whether the run leaves a model on the disk, or keeps in memory what it learns.
        """
        self._screen, self._saves = screen, saves
        self._steps = 0
        self._full = False  # nothing more can be written

    def report(self, event: Event) -> None:
        """Print the event."""
        if isinstance(event, RunStarted):
            self._steps = event.steps
            self._print_start(event)
        elif isinstance(event, StepDone):
            self._print(event.step, _step(event))
        elif isinstance(event, Validated):
            self._print(event.step, _validation(event), "green" if event.best else "")
        elif isinstance(event, Warned):
            self._print(event.step, f"warning: {event.message}", "yellow")
        elif isinstance(event, CheckpointWritten):
            best = ", the best so far" if event.best else ""
            self._print(event.step, f"checkpoint: {event.path}{best}", "dim")
        elif isinstance(event, RunEnded):
            self._print(event.step, _end(event, self._saves), "bold")

    def close(self) -> None:
        """Every line is out already."""

    def _print_start(self, event: RunStarted) -> None:
        widest = max(map(len, event.summary), default=0)
        for name, value in event.summary.items():
            self._line(f"{name:<{widest}}  ", value)
        if event.step:
            resumed = f"after step {count(event.step)} of {count(event.steps)}"
            self._line(f"{'resumed':<{widest}}  ", resumed)

    def _print(self, step: int, text: str, style: str = "") -> None:
        digits = len(str(self._steps))
        self._line(f"step {step:>{digits}}/{self._steps}  ", text, style)

    def _line(self, head: str, text: str, style: str = "") -> None:
        from rich.cells import cell_len
        from rich.text import Text

        from ...views.frame import wrapped

        if self._full:
            return
        head, text = visible(" ".join(head.splitlines())), visible(" ".join(text.splitlines()))
        rows = [text]
        indent, width = cell_len(head), self._screen.width
        if self._screen.is_terminal and indent + cell_len(text) > width and 2 * indent < width:
            rows = ["".join(segment.text for segment in row) for row in wrapped(text, width - indent)]
        line = head + ("\n" + " " * indent).join(rows)
        try:
            self._screen.print(Text(line, style=style), soft_wrap=True)
        except OSError:  # a full disk under the log, or nobody who reads it, need not stop the training
            self._full = True


def _step(event: StepDone) -> str:
    left = "" if event.seconds_left is None else f", {duration(event.seconds_left)} left"
    return (
        f"epoch {event.epoch:.2f}  loss {number(event.loss)}  lr {rate(event.lr)}  "
        f"gradient {number(event.gradient_norm)}  {count(event.tokens_per_second)} tokens/s  "
        f"{duration(event.seconds)}{left}"
    )


def _validation(event: Validated) -> str:
    """The deciding metric first, then the others, then how the vectors lie."""
    names = [event.metric, *(name for name in event.metrics if name != event.metric)]
    shown = []
    for name in names:
        best = " (best so far)" if event.best and name == event.metric else ""
        shown.append(f"{metric_name(name)} {number(event.metrics[name])}{best}")
    text = "validation: " + ", ".join(shown)
    if event.collapse is not None:
        c = event.collapse
        text += (
            f"; random pairs: mean cosine {c.mean_cosine:.3f}, uniformity {c.uniformity:.2f}, "
            f"effective rank {c.effective_rank:.1f} of {c.dimensions}"
        )
        if c.alignment is not None:
            text += f"; alignment {c.alignment:.3f}"
    return text


def _end(event: RunEnded, saves: bool) -> str:
    reason = ENDINGS[event.reason]
    if event.reason == "interrupted" and not saves:
        reason = INTERRUPTED_IN_MEMORY
    text = f"{reason}, {duration(event.seconds)}"
    if event.best_metric is not None:
        text += f"; best {number(event.best_metric)} at step {count(event.best_step)}"
    return f"{text}; model: {event.path}"
