"""Numbers of a training run in words that a person reads at a glance.

Every reporter for people uses these, so that a number looks the same on the dashboard and in a line of text.
"""

import math

# Metrics are keyed by a short name everywhere; these are the ones that a reader may not know by it.
METRIC_NAMES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "f1": "F1",
    "f1_threshold": "threshold for F1",
    "spearman": "Spearman",
    "pearson": "Pearson",
}


def duration(seconds: float) -> str:
    """Seconds as `0:07`, `12:40` or `3:05:00`; `?` where they are not known."""
    if not math.isfinite(seconds) or seconds < 0:
        return "?"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: float) -> str:
    """A whole number with its thousands apart: `12,480`."""
    return f"{number:,.0f}"


def short_count(number: float) -> str:
    """A number in four characters or so: `950`, `12.5k`, `1.3M`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(number) >= 0.9995 * size:
            scaled = number / size
            return f"{scaled:.0f}{unit}" if abs(scaled) >= 99.95 else f"{scaled:.1f}{unit}"
    return f"{number:.0f}"


def number(value: float) -> str:
    """A loss, a norm or a metric with four digits that count: `0.3127`, `12.41`, `3.2e-07`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == 0.0:
        return "0"
    if 1.0 <= abs(value) < 1e4:
        return f"{value:.{3 - math.floor(math.log10(abs(value)))}f}"
    if 1e-3 <= abs(value) < 1.0:
        return f"{value:.4f}"
    return f"{value:.1e}"


def rate(value: float) -> str:
    """A learning rate: `1.00e-03`."""
    return f"{value:.2e}"


def metric_name(key: str) -> str:
    """`average_precision` -> `average precision`."""
    return METRIC_NAMES.get(key, key.replace("_", " "))


# Why a run ended, for each of `events.REASONS`.
ENDINGS = {
    "finished": "finished: every epoch done",
    "max_steps": "stopped: as many steps as were asked for",
    "max_seconds": "stopped: the time is up",
    "patience": "stopped early: the validation has not improved for long enough",
    "interrupted": "interrupted: everything is saved",
}
INTERRUPTED_IN_MEMORY = "interrupted: what was learned until then is kept"  # where nothing goes to the disk
