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

from ...evaluation.collapse import LEAST_RANK, LOST_RANK, has_collapsed
from .history import History

# From where a gauge is worth a look, though the alarm of `evaluation.collapse` asks for more: beyond what was
# measured on healthy runs.
SUSPECT_COSINE = 0.9
SUSPECT_UNIFORMITY = -0.4  # that of vectors whose cosines are all 0.9
LITTLE_RANK = 0.1  # of the rank at the first validation

HEALTHY, WATCH, COLLAPSED, BEFORE = "healthy", "watch", "collapsed", "before"
LEVELS = (BEFORE, HEALTHY, WATCH, COLLAPSED)  # from good to bad
MARKS = {HEALTHY: "✓", WATCH: "!", COLLAPSED: "✗", BEFORE: "·"}
SHORT_LEVELS = {HEALTHY: "ok", WATCH: "watch", COLLAPSED: "bad", BEFORE: "before"}


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
    now, before = history.validated.collapse, history.before
    rank_share = 1.0 - math.log(max(1.0, now.effective_rank)) / math.log(max(2, now.dimensions))
    rank_lost = now.effective_rank < max(LITTLE_RANK * before.effective_rank, LEAST_RANK)
    collapsed = has_collapsed(now, before)

    def level(is_suspect: bool) -> str:
        if history.validated.step == 0:
            return BEFORE
        return HEALTHY if not is_suspect else COLLAPSED if collapsed else WATCH

    gauges = [
        Gauge(
            "mean_cosine",
            "mean cosine",
            f"{now.mean_cosine:.2f}",
            min(1.0, max(0.0, now.mean_cosine)),
            level(now.mean_cosine > SUSPECT_COSINE),
            "of random pairs: 0 spread out, 1 all alike",
            "0 spread, 1 all alike",
        ),
        Gauge(
            "uniformity",
            "uniformity",
            f"{now.uniformity:.2f}",
            min(1.0, max(0.0, 1.0 + now.uniformity / 4.0)),
            level(now.uniformity > SUSPECT_UNIFORMITY),
            "of random pairs: −4 an even sphere, 0 one point",
            "−4 even, 0 one point",
        ),
        Gauge(
            "effective_rank",
            "rank",
            f"{now.effective_rank:.1f}",
            min(1.0, max(0.0, rank_share)),
            level(rank_lost or (collapsed and now.effective_rank < LOST_RANK * before.effective_rank)),
            f"directions in use, of {now.dimensions} ({before.effective_rank:.1f} at first)",
            f"directions of {now.dimensions}",
        ),
    ]
    if now.alignment is not None:
        gauges.append(
            Gauge(
                "alignment",
                "alignment",
                f"{now.alignment:.2f}",
                None,
                BEFORE if history.validated.step == 0 else HEALTHY,
                "distance² of pairs that belong together",
                "distance² of pairs",
            )
        )
    return gauges


def verdict(gauges: list[Gauge]) -> str:
    """The worst level of all."""
    return max((gauge.level for gauge in gauges), key=LEVELS.index, default=HEALTHY)
