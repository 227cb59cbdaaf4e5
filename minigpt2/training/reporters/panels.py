"""The parts of the dashboard: each a function from what the run has said to a block of a given size.

`picture(history, width, height, view)` arranges them. There are three arrangements: every panel (from
120 × 36), the four most telling ones (from 60 × 18, made for 80 × 24), and a few lines for less.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from ...views import charts
from ...views.frame import (
    GAP,
    Block,
    Row,
    beside,
    ends,
    filled,
    fit,
    fitting,
    in_ascii,
    panel,
    row_of,
    shorten_path,
    width_of,
    wrapped,
)
from ...visible import visible
from .gauges import COLLAPSED, HEALTHY, MARKS, SHORT_LEVELS, Gauge, gauges_of, verdict
from .history import History, Series
from .wording import ENDINGS, count, duration, metric_name, number, rate, short_count

LARGE, SMALL = (120, 36), (60, 18)  # from which width and height
MOST_NEWS = 6  # rows that a warning may take from the charts of the small arrangement
FEWEST_BINS = 12  # of a histogram
LEAST_TRACK = 7  # cells of a gauge's track

DIM, BOLD = Style(dim=True), Style(bold=True)
TITLE = Style(bold=True, color="cyan")
GOOD, WATCH, BAD = Style(color="green"), Style(color="yellow"), Style(color="red", bold=True)
LOSS, EACH_LOSS = Style(color="cyan", bold=True), Style(color="blue", dim=True)
RATE, SPEED, METRIC = Style(color="magenta"), Style(color="yellow"), Style(color="green", bold=True)
TOGETHER, APART = Style(color="green"), Style(color="red")
LEVEL_STYLES = {"healthy": GOOD, "watch": WATCH, "collapsed": BAD, "before": DIM}


class View(NamedTuple):
    """What a picture depends on beside the run's history."""

    seconds: float = 0.0  # since the last step, for the clocks
    unicode: bool = True  # whether the terminal shows more than ASCII


def picture(history: History, width: int, height: int, view: View) -> Block:
    """The whole screen: `height` rows of `width` cells."""
    if width >= LARGE[0] and height >= LARGE[1]:
        block = _large(history, width, height, view)
    elif width >= SMALL[0] and height >= SMALL[1]:
        block = _small(history, width, height, view)
    else:
        block = _lines(history, width, height, view)
    block = filled(block, width, height)
    return block if view.unicode else in_ascii(block)


# the arrangements


def _small(history: History, width: int, height: int, view: View) -> Block:
    head = header(history, width, view)
    foot = footer(history, width)
    room = height - len(head) - 1
    news = newest_warning(history, width, max(1, min(MOST_NEWS, room - 13)))
    upper = (room - len(news) + 1) // 2
    lower = room - len(news) - upper
    left = (width - GAP) * 56 // 100
    right = width - GAP - left
    return [
        *head,
        *beside(loss_panel(history, left, upper, view), metrics_panel(history, right, upper, view)),
        *beside(cosines_panel(history, left, lower, view), collapse_panel(history, right, lower, view)),
        *news,
        foot,
    ]


def _large(history: History, width: int, height: int, view: View) -> Block:
    head = [*header(history, width, view), []]
    foot = footer(history, width)
    room = height - len(head) - 1
    lowest = max(7, min(11, room // 4))
    upper = (room - lowest - 2) * 55 // 100
    lower = room - lowest - 2 - upper
    right = max(50, width * 35 // 100)
    left = width - GAP - right
    rates = max(7, upper // 3)
    half = (left - GAP) // 2
    last = (width - GAP) // 2 if history.warnings else right
    return [
        *head,
        *beside(
            [
                *loss_panel(history, left, upper - rates, view),
                *beside(
                    rate_panel(history, half, rates, view),
                    speed_panel(history, left - GAP - half, rates, view),
                ),
            ],
            metrics_panel(history, right, upper, view),
        ),
        [],
        *beside(cosines_panel(history, left, lower, view), collapse_panel(history, right, lower, view)),
        [],
        *beside(run_panel(history, width - GAP - last, lowest), warnings_panel(history, last, lowest)),
        foot,
    ]


def _lines(history: History, width: int, height: int, view: View) -> Block:
    """For a terminal too small for panels: the numbers, and the newest warning with what room is left."""
    block = header(history, width, view)
    if history.best is not None and history.validated is not None:
        name = history.validated.metric
        now, best = number(history.validated.metrics[name]), number(history.best.metrics[name])
        text = f"{metric_name(name)} {now}, best {best} at step {count(history.best.step)}"
        block += [[Segment(" "), *row] for row in wrapped(text, width - 1)]
    if gauges := gauges_of(history):
        level = verdict(gauges)
        block.append(row_of((" embeddings: ", DIM), (level, LEVEL_STYLES[level])))
    if history.warnings:
        block += newest_warning(history, width, height - len(block) - 1)
    return [*filled(block, width, height - 1), footer(history, width)]


# the parts


def header(history: History, width: int, view: View) -> Block:
    """Three rows: what is trained, how far it is, and the numbers of the last step."""
    title = row_of((" minigpt2 train", TITLE))
    if history.started is None:
        return [fit(title, width), fit(row_of((" starting", DIM)), width), fit([], width)]
    objective = history.started.settings.objective.replace("_", " ")
    model = visible(history.started.summary.get("model", "")).split(", ")
    wordings = [f"{objective} · {', '.join(model[:n])}" for n in range(len(model), 0, -1) if model[0]]
    about = fitting([*wordings, objective], width - width_of(title) - 2)
    first = ends(title, row_of((f"{about} ", DIM)), width)
    return [first, _progress(history, width, view), _last_step(history, width)]


def _progress(history: History, width: int, view: View) -> Row:
    """The bar, the step and the time."""
    steps, step = history.started.steps, history.step
    done = step.step if step else history.started.step
    elapsed = (step.seconds if step else 0.0) + view.seconds
    if history.ended is not None:
        elapsed, state = history.ended.seconds, ENDINGS[history.ended.reason].partition(":")[0]
    elif history.closed:
        state = "stopped"
    elif step is None or step.seconds_left is None:
        state = "time left not known yet"
    else:
        state = f"{duration(max(0.0, step.seconds_left - view.seconds))} left"
    epoch = f"epoch {step.epoch:.2f} of {history.started.settings.epochs} · " if step else ""
    text = fitting(
        (
            f"step {count(done)} of {count(steps)} · {epoch}{duration(elapsed)}, {state} ",
            f"step {count(done)} of {count(steps)} · {duration(elapsed)}, {state} ",
            f"step {count(done)}/{count(steps)} · {state} ",
            f"{count(done)}/{count(steps)} ",
        ),
        width - 9,  # the percentage
    )
    share = done / steps if steps else 0.0
    percent = f" {share:4.0%}  "
    full, rest = charts.progress_bar(share, width - len(text) - len(percent) - 1, unicode=view.unicode)
    return fit(row_of(" ", (full, GOOD), (rest, DIM), (percent, BOLD), text), width)


def _last_step(history: History, width: int) -> Row:
    """The numbers of the last step, the least important left out where they do not fit."""
    if history.step is None:
        return fit(row_of((" the first step is being computed", DIM)), width)
    shown: Row = []
    for name, value in (
        ("loss ", number(history.step.loss)),
        ("learning rate ", rate(history.step.lr)),
        ("", f"{count(history.step.tokens_per_second)} tokens/s"),
        ("gradient ", number(history.step.gradient_norm)),
        ("seen ", f"{short_count(history.step.tokens)} tokens"),
    ):
        more = row_of("   " if shown else " ", (name, DIM), (value, BOLD))
        if width_of(shown) + width_of(more) > width:
            break
        shown += more
    return fit(shown, width)


def footer(history: History, width: int) -> Row:
    """Where the model is kept, and the one key."""
    if history.ended is not None:
        path = shorten_path(visible(str(history.ended.path)), width - 9)
        return fit(row_of((" model: ", DIM), (path, BOLD)), width)
    keys = "" if history.closed else fitting(_what_ctrl_c_does(history), width)
    room = width - len(keys) - 2
    texts = ["no checkpoint yet" if history.saves else "", ""]
    if history.checkpoint is not None:
        path = shorten_path(visible(str(history.checkpoint.path)), room - len("checkpoint: "))
        texts = [f"checkpoint: {path}"] if path else [f"saved at step {count(history.checkpoint.step)}", ""]
    return ends(row_of((f" {fitting(texts, room)}", DIM)), row_of((keys, BOLD)), width)


def _what_ctrl_c_does(history: History) -> tuple[str, ...]:
    """The longest wording first"""
    if history.stopping:
        dropped = "stopping; a second Ctrl-C drops what is learned "
        return dropped, "stopping; Ctrl-C drops it ", "stopping ", ""
    long = "Ctrl-C saves and stops " if history.saves else "Ctrl-C stops and keeps what is learned "
    return long, "Ctrl-C stops ", ""


def loss_panel(history: History, width: int, height: int, view: View) -> Block:
    """The loss of every report in the background, their moving average in front."""
    if not len(history.loss):
        return panel(row_of(("loss", BOLD)), _waiting("the first step", width, height - 1), width, height)
    x, y, low, high = history.loss.arrays()
    smooth = history.smooth_loss.arrays()
    each = charts.Curve(x, y, EACH_LOSS, ".", low, high)
    average = charts.Curve(smooth[0], smooth[1], LOSS, "*")
    chart = _chart([each, average], width, height - 1, view, may_be_log=True)
    title = row_of(("loss", BOLD), (" of each report ", DIM), ("and averaged", LOSS))
    return panel(title, chart, width, height, row_of((number(smooth[1, -1]), LOSS)))


def rate_panel(history: History, width: int, height: int, view: View) -> Block:
    """The learning rate so far, on an axis as long as the whole run."""
    steps = history.started.steps if history.started else 0
    now = rate(history.step.lr) if history.step else ""
    return _series_panel("learning rate", history.lr, RATE, now, width, height, view, x_end=steps)


def speed_panel(history: History, width: int, height: int, view: View) -> Block:
    """Tokens a second."""
    now = count(history.step.tokens_per_second) if history.step else ""
    return _series_panel("tokens a second", history.speed, SPEED, now, width, height, view)


def _series_panel(
    name: str, series: Series, style: Style, now: str, width: int, height: int, view: View, x_end: float = 0.0
) -> Block:
    content = _waiting("the first step", width, height - 1)
    if len(series):
        x, y, *_ = series.arrays()
        content = _chart([charts.Curve(x, y, style, "*")], width, height - 1, view, x_end=x_end)
    return panel(row_of((name, BOLD)), content, width, height, row_of((now, style)) if now else None)


def metrics_panel(history: History, width: int, height: int, view: View) -> Block:
    """Each validation metric now and at the best step, and the deciding one over time where there is room."""
    rows = height - 1
    title = row_of(("validation", BOLD))
    event, best = history.validated, history.best
    if event is None:
        return panel(title, _waiting("the first validation", width, rows), width, height)
    if event.best:
        right = row_of(("★ best so far", GOOD))
    else:
        at = count(best.step) if best is not None else "–"
        right = row_of((fitting((f"★ best at step {at}", f"★ step {at}", ""), width - 19), DIM))
    column = max(9, min(12, width // 4))
    label = width - 2 * column
    table: Block = [row_of((f"{'':{label}}{'now':>{column}}{'best':>{column}}", DIM))]
    for name in _deciding_first(event.metrics, event.metric)[: max(1, rows - 1)]:
        style = METRIC if name == event.metric else Style()
        full = metric_name(name)
        text = fitting((full, full.replace("average ", "avg. "), full[:label]), label)
        at_best = number(best.metrics[name]) if best is not None and name in best.metrics else "–"
        now = f"{text:<{label}}{number(event.metrics[name]):>{column}}"
        table.append(row_of((now, style), (f"{at_best:>{column}}", style if name == event.metric else DIM)))
    series = history.metrics[event.metric]
    left = rows - len(table)
    if left >= 6:
        table.append([])
        x, y, *_ = series.arrays()
        table += _chart([charts.Curve(x, y, METRIC, "*")], width, left - 1, view)
    elif left >= 1 and len(series) >= 2:
        name = f"{metric_name(event.metric)} so far "
        spark = charts.sparkline(series.arrays()[1], width - len(name), unicode=view.unicode)
        table.append(row_of((name, DIM), (spark, METRIC)))
    return panel(title, table, width, height, right)


def _deciding_first(metrics: dict[str, float], deciding: str) -> list[str]:
    return [deciding, *(name for name in metrics if name != deciding)]


def cosines_panel(history: History, width: int, height: int, view: View) -> Block:
    """Cosines of pairs that belong together above those of pairs that do not, over one axis."""
    event = history.validated
    rows = height - 1
    if event is None:
        waiting = _waiting("the first validation", width, rows)
        return panel(row_of(("cosines", BOLD)), waiting, width, height)
    if event.positives is None or event.negatives is None:
        return _metric_panel(history, width, height, view)
    threshold = event.metrics.get("threshold")
    right = row_of((f"▲ threshold {threshold:.2f}", DIM)) if threshold is not None else None
    title = row_of(
        ("cosines", BOLD),
        (" of pairs that belong ", DIM),
        ("together", TOGETHER),
        (" and ", DIM),
        ("apart", APART),
    )
    if width_of(title) + (width_of(right) if right else 0) + 12 > width:
        title = row_of(("cosines", BOLD))
    values = np.concatenate([event.positives, event.negatives])
    low, high = _cosine_range(values[np.isfinite(values)])
    fewest = min(len(event.positives), len(event.negatives))
    bins = min(width - 2, max(FEWEST_BINS, int(2 * fewest**0.5)))  # few values in many bins are a comb
    bar_rows = rows - 2
    upper = (bar_rows + 1) // 2
    content: Block = []
    for name, cosines, style, part in (
        ("together", event.positives, TOGETHER, upper),
        ("apart", event.negatives, APART, bar_rows - upper),
    ):
        heights = _histogram(np.clip(cosines, low, high), low, high, width - 2, bins)
        bars = charts.bars(heights, max(1, part), style, unicode=view.unicode)
        mean = f"mean {float(np.mean(cosines)):.2f}" if len(cosines) else "no pairs"
        wordings = (f"{count(len(cosines))} {name}, {mean}", f"{name}, {mean}", name)
        content += [[Segment(" "), *row] for row in _labelled(bars, wordings, style)]
    content += charts.x_axis(low, high, 0, width - 2, "cosine", mark=threshold)
    return panel(title, content, width, height, right)


def _histogram(values: np.ndarray, low: float, high: float, cells: int, bins: int) -> np.ndarray:
    """(n,) -> (cells,) heights of 0 … 1: each cell has the height of the bin that holds its centre"""
    counts, _ = np.histogram(values, bins=bins, range=(low, high))
    bin_of_cell = ((np.arange(cells) + 0.5) * bins / cells).astype(int)  # (cells,)
    return counts[bin_of_cell] / max(1, counts.max())


def _labelled(bars: Block, wordings: Sequence[str], style: Style) -> Block:
    """The bars with the first wording for which their top row has room at one end."""
    top = bars[0][0].text
    for text in wordings:
        n = len(text)
        if n + 1 <= len(top) and not top[: n + 1].strip():
            return [row_of((text + top[n:], style)), *bars[1:]]
        if n + 1 <= len(top) and not top[-n - 1 :].strip():
            return [row_of((top[:-n] + text, style)), *bars[1:]]
    return bars


def _metric_panel(history: History, width: int, height: int, view: View) -> Block:
    """Where the data has no positives and negatives: another metric over the run, in large."""
    event = history.validated
    name = _deciding_first(event.metrics, event.metric)[-1]
    x, y, *_ = history.metrics[name].arrays()
    chart = _chart([charts.Curve(x, y, METRIC, "*")], width, height - 1, view, may_be_log=True)
    title = row_of((metric_name(name), BOLD), (" on the validation data", DIM))
    return panel(title, chart, width, height)


def collapse_panel(history: History, width: int, height: int, view: View) -> Block:
    """The gauges of collapse: each on a track from healthy to collapsed, with its value and a word."""
    rows = height - 1
    title = row_of(("collapse?", BOLD))
    if history.validated is not None and history.validated.collapse is None:
        text = "A language model makes no sentence vectors while it trains: there is nothing to collapse."
        return panel(title, wrapped(text, width, DIM), width, height)
    gauges = gauges_of(history)
    if not gauges:
        return panel(title, _waiting("the first validation", width, rows), width, height)
    level = verdict(gauges)
    right = row_of((f"{MARKS[level]} {level}", LEVEL_STYLES[level]))
    roomy = rows >= 2 * len(gauges) + 1
    content = _tracks(gauges, width, roomy)
    left = rows - len(content)
    if left >= 8:
        x, y, *_ = history.gauges["mean_cosine"].arrays()
        curve = charts.Curve(x, y, LEVEL_STYLES[level], "*")
        content += [[], row_of(("mean cosine of random pairs so far", DIM))]
        content += _chart([curve], width, left - 2, view, y_range=(min(0.0, float(y.min())), 1.0))
    elif not roomy:
        worst = next((g for g in gauges if g.level == level), gauges[0])
        said = {
            HEALTHY: "the vectors are well spread",
            COLLAPSED: "all texts get nearly the same vector",
        }.get(level, f"{worst.name}: {worst.note}")
        content += wrapped(said, width, DIM)[:left]
    return panel(title, content, width, height, right)


def _tracks(gauges: list[Gauge], width: int, roomy: bool) -> Block:
    """A row for each gauge, below it in a dim one, if `roomy`, what it means."""
    name = max(len(gauge.name) for gauge in gauges) + 1
    value = max(len(gauge.value) for gauge in gauges)
    words = {level: level for level in LEVEL_STYLES}
    if width - name - value - 1 - 10 < 16:
        words = SHORT_LEVELS
    word = max(len(words[gauge.level]) for gauge in gauges) + 1
    track = width - name - value - 1 - word
    if track < LEAST_TRACK:
        track, word = width - name - value - 1, 0
    scale = fitting(("healthy → collapsed", "good → bad", ""), track)
    block: Block = [row_of((" " * (name + value + 1) + scale.center(track), DIM))]
    for gauge in gauges:
        style = LEVEL_STYLES[gauge.level]
        row = row_of(f"{gauge.name:<{name}}", (f"{gauge.value:>{value}}", BOLD), " ")
        if gauge.share is None:
            row += row_of((fitting(("not judged alone", "not judged"), track + word), DIM))
        else:
            at = min(track - 1, int(gauge.share * track))
            row += row_of(("─" * at, DIM), ("●", style), ("─" * (track - 1 - at), DIM))
            row += row_of((f" {words[gauge.level]}", style)) if word else []
        block.append(row)
        if roomy:
            block.append(row_of(("  " + fitting((gauge.note, gauge.short_note, ""), width - 2), DIM)))
    return block


def newest_warning(history: History, width: int, rows: int) -> Block:
    """The newest warning, wrapped. Where it is longer than `rows`, its end is left out and that is said."""
    if rows < 1:
        return []
    if not history.warnings:
        return [fit(row_of((" no warnings", DIM)), width)]
    warning = history.warnings[-1]
    several = f" (the last of {history.warned_in_all})" if history.warned_in_all > 1 else ""
    text = f"! step {count(warning.step)}{several}: {visible(warning.message)}"
    block = _shortened(wrapped(text, width - 2, WATCH, indent=2), rows, width - 2)
    return [fit([Segment(" "), *row], width) for row in block]


def _shortened(block: Block, rows: int, width: int, hint: str = " … (all of it in log.jsonl)") -> Block:
    """At most `rows` rows of wrapped text, the last one ending in `hint` where rows are left out."""
    if len(block) <= rows:
        return block
    last = block[rows - 1][0].text
    while last and cell_len(last) + len(hint) > width:
        last = last.rpartition(" ")[0]
    return [*block[: rows - 1], [Segment(last.rstrip(",;:") + hint, block[0][0].style)]]


def warnings_panel(history: History, width: int, height: int) -> Block:
    """Warnings with their explanations, the newest first, as many as there is room for."""
    content: Block = []
    for warning in reversed(history.warnings):
        text = f"! step {count(warning.step)}: {visible(warning.message)}"
        block = wrapped(text, width, DIM if content else WATCH, indent=2)
        if content and len(content) + len(block) > height - 1:
            break
        content += _shortened(block, height - 1, width)
    right = row_of((f"{count(history.warned_in_all)} in all", DIM)) if history.warnings else None
    return panel(row_of(("warnings", BOLD)), content or [row_of(("none", GOOD))], width, height, right)


def run_panel(history: History, width: int, height: int) -> Block:
    """What is trained, on what, where."""
    summary = history.started.summary if history.started else {}
    names = max(map(len, summary), default=0) + 2
    texts = {name: wrapped(visible(value), width - names) for name, value in summary.items()}
    if sum(map(len, texts.values())) > height - 1:
        texts = {name: _shortened(block, 1, width - names, " …") for name, block in texts.items()}
    content: Block = []
    for name, block in texts.items():
        for i, row in enumerate(block):
            content.append([Segment(f"{visible(name) if i == 0 else '':<{names}}", DIM), *row])
    return panel(row_of(("run", BOLD)), content, width, height)


def _chart(
    lines: Sequence[charts.Curve], width: int, height: int, view: View, x_end: float = 0.0, **options
) -> Block:
    """Curves over steps; an empty block where there is no room for axes."""
    if height < 4 or width < 16:
        return []
    end = max(x_end, *(float(line.x[-1]) for line in lines), 1.0)
    return charts.curves(lines, width, height, x_end=end, unicode=view.unicode, **options)


def _waiting(what: str, width: int, rows: int) -> Block:
    """An empty panel says what it waits for."""
    text = fitting((f"waiting for {what}", "waiting", ""), width)
    return [*([[]] * ((rows - 1) // 2)), row_of((text.center(width), DIM))]


def _cosine_range(values: np.ndarray) -> tuple[float, float]:
    """Round ends around nearly all of the cosines, at least 0.2 apart, inside −1 … 1."""
    if not len(values):
        return -1.0, 1.0
    low, high = np.quantile(values, [0.002, 0.998])
    low, high = float(np.floor(low * 10) / 10), float(np.ceil(high * 10) / 10)
    if high - low < 0.2:
        low = high - 0.2
    return max(-1.0, low), min(1.0, high)
