"""Numbers as text: as many digits as say something, and where a value lies on a scale."""

import math
from collections.abc import Iterable

import numpy as np

DIGITS = 4  # that count, of a number alone
NEARLY_ZERO = 0.1  # of the largest value: a scale that would begin below it begins at 0


def number(value: float, digits: int = DIGITS) -> str:
    """One number with at most `digits` digits that count: 0.3127, 0.5, 12.35, 1234, 3.20e-07."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e6 or size < 1e-4:
        return f"{value:.{min(2, digits - 1)}e}"
    text = _no_negative_zero(f"{value:.{max(0, digits - 1 - math.floor(math.log10(size)))}f}")
    return text.rstrip("0").rstrip(".") if "." in text else text


def fixed(value: float, digits: int) -> str:
    """One number with `digits` decimals; NaN and infinities by name, huge numbers with an exponent."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return f"{value:.1e}" if abs(value) >= 1e6 else _no_negative_zero(f"{value:.{digits}f}")


def aligned(values: Iterable[float], digits: int = DIGITS) -> list[str]:
    """Numbers of one column: all with the same decimals, no more of them than the numbers have."""
    values = [float(value) for value in values]
    sizes = [abs(value) for value in values if math.isfinite(value) and value]
    largest, smallest = max(sizes, default=1.0), min(sizes, default=1.0)
    if largest >= 1e6 or largest < 1e-3 or smallest < 1e-3 * largest / 1e3:
        return [number(value, digits) for value in values]
    largest = float(f"{largest:.{digits - 1}e}")  # so that 1 and what rounds to it have the same digits
    most = max(0, digits - 1 - max(0, math.floor(math.log10(largest)))) + (largest < 1)
    finite = [value for value in values if math.isfinite(value)]
    decimals = next(
        (d for d in range(most) if all(abs(round(v, d) - v) < 1e-9 * max(1.0, abs(v)) for v in finite)), most
    )
    return [fixed(value, decimals) for value in values]


def _no_negative_zero(text: str) -> str:
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def span(
    values: np.ndarray, low: float | None, high: float | None, diverging: bool = False
) -> tuple[float, float]:
    """The ends of a scale: those given, else of the finite values; 0 in the middle if diverging."""
    finite = values[np.isfinite(values)]
    if diverging:
        given = [abs(end) for end in (low, high) if end is not None]
        largest = max(given) if given else float(np.abs(finite).max(initial=0.0))
        return -largest, largest
    if low is None:
        low = float(finite.min()) if finite.size else 0.0
        low = low if high is None else min(low, high)
        largest = float(finite.max()) if finite.size else 0.0
        low = 0.0 if 0.0 <= low < NEARLY_ZERO * largest else low
    if high is None:
        high = max(low, float(finite.max()) if finite.size else 1.0)
    return float(low), float(high)


def shares(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where values lie from `low` 0 to `high` 1, cut there; 0.5 where the ends are one; NaN stays NaN."""
    values = np.asarray(values, dtype=np.float64)
    half = 0.5 * high - 0.5 * low  # the whole could be more than a float holds
    if not half > 0.0:
        return np.where(np.isnan(values), np.nan, 0.5)
    return (0.5 * np.clip(values, low, high) - 0.5 * low) / half
