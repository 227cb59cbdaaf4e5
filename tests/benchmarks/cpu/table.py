"""The acceptance table and the measurements behind it, as Markdown."""

import statistics

from .figures import EXTRAS, FIGURES, Figure

SPREAD = "lowest to highest"


def measured(figure: Figure, series: dict) -> dict | None:
    """Median and range of a figure, and whether it keeps its bounds; None if it was not measured.

    The ratio is that of the medians; its range goes over the ratios of single rounds.
    """
    ours = series.get(figure.ours)
    rival = series.get(figure.rival) if figure.rival else None
    if ours is None or (figure.rival and rival is None):
        return None
    if rival is None:
        scale = 100.0 if figure.unit == "%" else 1.0
        values, median = [scale * value for value in ours.values], scale * ours.median
    else:
        values = [theirs / mine for mine, theirs in zip(ours.values, rival.values, strict=True)]
        median = rival.median / ours.median
    sign = -1 if figure.at_most else 1
    kept = "no"
    if sign * median >= sign * figure.least:
        kept = "aim" if sign * median >= sign * figure.aim else "yes"
    return {"median": median, "low": min(values), "high": max(values), "rounds": len(values), "kept": kept}


def acceptance(slugs: list[str], series: dict) -> list[str]:
    """One line for each figure in `slugs`; "aim" in the last column means that the aim is reached too."""
    lines = [
        f"| figure | measured | {SPREAD} | rounds | at least | aim | ok? |",
        "|---|---|---|---|---|---|---|",
    ]
    for figure in FIGURES:
        if figure.slug not in slugs:
            continue
        bound = "≤ " if figure.at_most else ""
        bounds = f"{bound}{_number(figure.least, figure.unit)} | {_number(figure.aim, figure.unit)}"
        result = measured(figure, series)
        if result is None:
            lines.append(f"| {figure.text} | not measured | | | {bounds} | no |")
            continue
        value = _number(result["median"], figure.unit)
        spread = f"{_number(result['low'], figure.unit)} to {_number(result['high'], figure.unit)}"
        lines.append(
            f"| {figure.text} | {value} | {spread} | {result['rounds']} | {bounds} | {result['kept']} |"
        )
    return lines


def measurements(series: dict) -> list[str]:
    """Every series: the median in a unit that people use, with its range."""
    lines = [f"| competitor | task | median | {SPREAD} | rounds |", "|---|---|---|---|---|"]
    for (name, task), one in series.items():
        values = [_readable(name, task, value) for value in one.values]
        numbers = [number for number, _ in values]
        unit = values[0][1]
        spread = f"{_short(min(numbers))} to {_short(max(numbers))}"
        median = _short(statistics.median(numbers))
        lines.append(f"| {name} ({one.label}) | {task} | {median} {unit} | {spread} | {len(numbers)} |")
    return lines


def extras(slugs: list[str], series: dict) -> list[str]:
    """The series without bounds, beside ours: how many times our time they take."""
    lines = []
    for slug, keys in EXTRAS.items():
        if slug not in slugs:
            continue
        for key in keys:
            model = "124M" if key[0].startswith("124M") else "nano"
            ours = (f"{model} minigpt2", key[1])
            if key[0].startswith("tokenizer"):
                ours = ("tokenizer minigpt2", "batch")
            if key != ours and key in series and ours in series:
                ratio = series[key].median / series[ours].median
                lines.append(f"{key[0]} {key[1]} / {ours[0]}: {ratio:.2f}x")
    return lines


def _readable(name: str, task: str, value: float) -> tuple[float, str]:
    group = name.split()[0]
    if group == "tokenizer":
        return 1e6 * value, "µs a line"
    if task in ("ids", "text"):
        return 1 / value, "sentences/s"
    if task == "one":
        return 1e3 * value, "ms"
    if group == "training":
        return 1e3 * value, "ms a step"
    if group == "peak":
        return 100 * value, "%"
    return (value, "s of CPU time") if group == "similarity" else (value, "MB")


def _number(value: float, unit: str) -> str:
    decimals = {"x": 2, "%": 1, "s": 2, "MB": 0}[unit]
    return f"{value:.{decimals}f}{unit if unit == 'x' else ' ' + unit}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
