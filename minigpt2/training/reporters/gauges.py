"""The gauges of collapse in words: what each number means and whether it is healthy.

    mean cosine      of random pairs: 0 where directions are spread, 1 where all vectors are alike
    uniformity       log mean exp(−2·distance²) of random pairs: −4 on an even sphere, 0 in one point
    effective rank   how many directions the vectors use
    alignment        mean distance² of pairs that belong together; it is small in a perfect model and in a
                     collapsed one, so it is shown and not judged

Wang, Isola 2020, arXiv:2005.10242 (alignment, uniformity); Roy, Vetterli 2007 (effective rank).
"""

import math
from typing import NamedTuple

from .history import History

HEALTHY, WATCH, COLLAPSED, UNTRAINED = "healthy", "watch", "collapsed", "untrained"
LEVELS = (UNTRAINED, HEALTHY, WATCH, COLLAPSED)  # from good to bad
MARKS = {HEALTHY: "✓", WATCH: "!", COLLAPSED: "✗", UNTRAINED: "·"}
SHORT_LEVELS = {HEALTHY: "ok", WATCH: "watch", COLLAPSED: "bad", UNTRAINED: "start"}


class Gauge(NamedTuple):
    """One number as the dashboard shows it."""

    key: str  # field of Collapse
    name: str
    value: str
    share: float | None  # 0 healthy … 1 collapsed; None for a number that does not tell
    level: str  # one of LEVELS
    note: str  # what the number says
    short_note: str


def gauges_of(history: History) -> list[Gauge]:
    """The gauges at the last validation; none before the first one."""
    if history.validated is None or history.validated.collapse is None:
        return []
    c = history.validated.collapse
    rank_share = 1.0 - math.log(max(1.0, c.effective_rank)) / math.log(max(2, c.dimensions))
    few, one = max(3.0, 0.05 * c.dimensions), 1.5
    gauges = [
        Gauge(
            "mean_cosine",
            "mean cosine",
            f"{c.mean_cosine:.2f}",
            min(1.0, max(0.0, c.mean_cosine)),
            _level(c.mean_cosine, 0.7, 0.95),
            "of random pairs: 0 spread out, 1 all alike",
            "0 spread, 1 all alike",
        ),
        Gauge(
            "uniformity",
            "uniformity",
            f"{c.uniformity:.2f}",
            min(1.0, max(0.0, 1.0 + c.uniformity / 4.0)),
            _level(c.uniformity, -1.0, -0.2),
            "of random pairs: −4 an even sphere, 0 one point",
            "−4 even, 0 one point",
        ),
        Gauge(
            "effective_rank",
            "rank",
            f"{c.effective_rank:.1f}",
            min(1.0, max(0.0, rank_share)),
            _level(-c.effective_rank, -few, -one),
            f"directions in use, of {c.dimensions}",
            f"of {c.dimensions}",
        ),
    ]
    if c.alignment is not None:
        gauges.append(
            Gauge(
                "alignment",
                "alignment",
                f"{c.alignment:.2f}",
                None,
                HEALTHY,
                "distance² of pairs that belong together",
                "distance² of pairs",
            )
        )
    return gauges


def verdict(gauges: list[Gauge]) -> str:
    """The worst level of all."""
    return max((gauge.level for gauge in gauges), key=LEVELS.index, default=HEALTHY)


def _level(value: float, watch: float, collapsed: float) -> str:
    return COLLAPSED if value >= collapsed else WATCH if value >= watch else HEALTHY
