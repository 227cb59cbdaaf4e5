"""What a run has said so far, in memory that does not grow with its length.

A `Series` holds at most `MOST_POINTS` points, however many values it is given: when it is full, neighbours
are joined into one point that keeps their mean, smallest and largest value.
"""

from collections import deque

import numpy as np

from ...evaluation.collapse import Collapse
from ..events import CheckpointWritten, Event, RunEnded, RunStarted, StepDone, Validated, Warned

MOST_POINTS = 1024  # more than a wide terminal has dots
SMOOTHING_SHARE = 0.02  # the loss is averaged over about this share of what has been seen
MOST_WEIGHT, LEAST_WEIGHT = 0.33, 0.01  # of a new loss in the average
MOST_WARNINGS = 20


class Series:
    """Values over steps: `x` the step, `y` the mean, `low` and `high` of what a point stands for."""

    def __init__(self) -> None:
        self._points = np.empty((4, MOST_POINTS))  # x, y, low, high
        self._n = 0
        self._joined = 1  # values in a whole point
        self._pending: list[tuple[float, float]] = []

    def __len__(self) -> int:
        return self._n + bool(self._pending)

    def add(self, x: float, y: float) -> None:
        """One more value; `x` must not fall."""
        self._pending.append((x, y))
        if len(self._pending) == self._joined:
            self._points[:, self._n] = _point(self._pending)
            self._pending = []
            self._n += 1
        if self._n == MOST_POINTS:
            pairs = self._points.reshape(4, -1, 2)  # (4, MOST_POINTS/2, 2)
            half = MOST_POINTS // 2
            self._points[0, :half] = pairs[0].mean(axis=1)
            self._points[1, :half] = pairs[1].mean(axis=1)
            self._points[2, :half] = pairs[2].min(axis=1)
            self._points[3, :half] = pairs[3].max(axis=1)
            self._n = half
            self._joined *= 2

    def arrays(self) -> np.ndarray:
        """(4, n): x, y, low and high of every point, the one that is still filling included."""
        points = self._points[:, : self._n]
        return np.column_stack([points, _point(self._pending)]) if self._pending else points.copy()


def _point(values: list[tuple[float, float]]) -> np.ndarray:
    """(4,): mean x, mean y, smallest y, largest y"""
    x, y = np.array(values).T
    return np.array([x.mean(), y.mean(), y.min(), y.max()])


class Best:
    """The best validation: where it was and what every metric was there."""

    def __init__(self, step: int, metrics: dict[str, float]) -> None:
        self.step, self.metrics = step, metrics


class History:
    """The events of a run, each kind as far as a person wants to see it."""

    def __init__(self) -> None:
        self.saves = True  # the run leaves a model on the disk; else what is learned stays in memory
        self.started: RunStarted | None = None
        self.step: StepDone | None = None
        self.validated: Validated | None = None
        self.best: Best | None = None
        self.before: Collapse | None = None  # the gauges of the first validation
        self.checkpoint: CheckpointWritten | None = None
        self.ended: RunEnded | None = None
        self.stopping = False  # someone has asked the run to stop, which takes its time
        self.closed = False  # nothing more will come
        self.warnings: deque[Warned] = deque(maxlen=MOST_WARNINGS)
        self.warned_in_all = 0
        self.loss, self.smooth_loss, self.lr, self.speed = Series(), Series(), Series(), Series()
        self.metrics: dict[str, Series] = {}
        self.gauges: dict[str, Series] = {}
        self._average: float | None = None
        self._losses = 0

    def take(self, event: Event) -> None:
        """Remember one event."""
        if isinstance(event, RunStarted):
            self.started = event
        elif isinstance(event, StepDone):
            self.step = event
            self._take_step(event)
        elif isinstance(event, Validated):
            self.validated = event
            self._take_validation(event)
        elif isinstance(event, Warned):
            self.warnings.append(event)
            self.warned_in_all += 1
        elif isinstance(event, CheckpointWritten):
            self.checkpoint = event
        elif isinstance(event, RunEnded):
            self.ended = event

    def _take_step(self, event: StepDone) -> None:
        self.loss.add(event.step, event.loss)
        self._losses += 1
        share = max(
            1.0 / self._losses, min(MOST_WEIGHT, 1.0 / (SMOOTHING_SHARE * self._losses)), LEAST_WEIGHT
        )
        if self._average is None or not np.isfinite(self._average):
            self._average = event.loss
        self._average += share * (event.loss - self._average)
        self.smooth_loss.add(event.step, self._average)
        self.lr.add(event.step, event.lr)
        self.speed.add(event.step, event.tokens_per_second)

    def _take_validation(self, event: Validated) -> None:
        for name, value in event.metrics.items():
            self.metrics.setdefault(name, Series()).add(event.step, value)
        if event.collapse is not None:
            self.before = self.before or event.collapse
            for name in ("mean_cosine", "uniformity", "effective_rank", "alignment"):
                value = getattr(event.collapse, name)
                if value is not None:
                    self.gauges.setdefault(name, Series()).add(event.step, value)
        if event.best:
            self.best = Best(event.step, event.metrics)
