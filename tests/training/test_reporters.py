"""What reporters show: charts dot by dot, pictures of every size, lines, JSON, and text that cannot act."""

import contextlib
import io
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.style import Style

from minigpt2.evaluation.collapse import Collapse
from minigpt2.training.events import CheckpointWritten, RunEnded, RunStarted, StepDone, Validated, Warned
from minigpt2.training.reporters import Dashboard, JsonLines, PlainLines
from minigpt2.training.reporters import dashboard as dashboard_module
from minigpt2.training.reporters.gauges import gauges_of, verdict
from minigpt2.training.reporters.history import MOST_POINTS, History, Series
from minigpt2.training.reporters.panels import View, picture
from minigpt2.training.reporters.wording import duration, metric_name, number, short_count
from minigpt2.training.settings import TrainingSettings
from minigpt2.views.frame import width_of

SUMMARY = {
    "model": "D=24, L=2, H=3, 12,345 parameters",
    "training data": "4,000 examples, 7,912 texts",
    "output": "out",
}
HEALTHY = Collapse(0.11, 0.31, -2.6, 18.0, 24)
COLLAPSED = Collapse(0.99, 0.01, -0.03, 1.3, 24)
BEFORE = Collapse(0.55, 0.40, -1.6, 15.0, 24)
PLAIN = Style()


def validated(step, rng, collapse=HEALTHY, auc=0.8, best=True):
    metrics = {"auc": auc, "average_precision": 0.79, "accuracy": 0.7, "f1": 0.66, "threshold": 0.5}
    positives, negatives = 0.3 * rng.standard_normal((2, 300)).clip(-2, 2) + [[0.4], [0.0]]
    return Validated(step, metrics, "auc", best, collapse, positives, negatives)


def events(rng, collapse=HEALTHY, objective="contrastive"):
    """A run of 120 steps with a validation at every 30th."""
    yield RunStarted(TrainingSettings(objective=objective, epochs=3), SUMMARY, 120, 0)
    yield validated(0, rng, BEFORE, auc=0.5)
    for step in range(1, 121):
        loss = 0.1 + np.exp(-step / 30)
        yield StepDone(
            step, 120, step / 40, loss, 1e-3, 0.5, 900 * step, 31_415.0, 0.1 * step, 12 - 0.1 * step
        )
        if step % 30 == 0:
            yield validated(step, rng, collapse, auc=0.8 + step / 1000, best=step != 120)
            yield CheckpointWritten(step, Path(f"somewhere/deep/checkpoints/step-{step:08}"), step != 120)
    yield Warned(120, "the vectors are collapsing: choose another objective, or a lower learning rate")


def history_of(events):
    history = History()
    for event in events:
        history.take(event)
    return history


def language_model_run():
    yield RunStarted(TrainingSettings(objective="language_model"), SUMMARY, 50, 0)
    yield StepDone(1, 50, 0.1, 5.5, 1e-3, 0.5, 900, 31_415.0, 0.1, None)
    for step in (10, 20):
        yield Validated(step, {"loss": 4.0, "perplexity": 54.6}, "loss", True, None, None, None)


def text_of(block):
    return ["".join(segment.text for segment in row) for row in block]


# numbers in words


@pytest.mark.parametrize(
    ("call", "argument", "text"),
    [
        (duration, 7.4, "0:07"),
        (duration, 59.7, "1:00"),
        (duration, 3661, "1:01:01"),
        (duration, float("nan"), "?"),
        (duration, -1, "?"),
        (number, 0.31274, "0.3127"),
        (number, 12.3456, "12.35"),
        (number, 3.2e-7, "3.2e-07"),
        (number, 123456.0, "1.2e+05"),
        (number, 0.0, "0"),
        (number, float("nan"), "NaN"),
        (number, float("-inf"), "-∞"),
        (short_count, 999, "999"),
        (short_count, 12_480, "12.5k"),
        (short_count, 999_999, "1.0M"),
        (metric_name, "average_precision", "average precision"),
        (metric_name, "auc", "AUC"),
    ],
)
def test_numbers_in_words(call, argument, text):
    assert call(argument) == text


# history


def test_a_series_keeps_means_and_extremes_in_bounded_memory():
    series, n = Series(), 10 * MOST_POINTS + 3
    values = np.sin(np.arange(n))
    values[777] = 50.0
    for step, value in enumerate(values):
        series.add(step, value)
    x, y, low, high = series.arrays()
    assert MOST_POINTS / 2 <= len(x) <= MOST_POINTS
    assert (np.diff(x) > 0).all()
    assert high.max() == 50.0
    assert low.min() == values.min()
    joined = round(x[1] - x[0])
    assert y[3] == pytest.approx(values[3 * joined : 4 * joined].mean())


def test_a_series_shows_a_value_at_once():
    series = Series()
    for step in range(3):
        series.add(step, float(step))
    assert series.arrays()[1].tolist() == [0.0, 1.0, 2.0]


def test_the_average_follows_the_loss_and_survives_nan():
    history = History()
    for step in range(1, 200):
        loss = float("nan") if step == 50 else 2.0 if step < 100 else 1.0
        history.take(StepDone(step, 200, 0.0, loss, 1e-3, 0.5, 1, 1.0, 1.0, None))
    smooth = history.smooth_loss.arrays()[1]
    assert smooth[40] == pytest.approx(2.0)
    assert smooth[97] == pytest.approx(2.0)
    assert smooth[-1] == pytest.approx(1.0, abs=0.01)


# pictures


STATES = {
    "nothing yet": lambda rng: [],
    "started": lambda rng: itertools.islice(events(rng), 1),
    "validated": lambda rng: itertools.islice(events(rng), 2),
    "one step": lambda rng: itertools.islice(events(rng), 3),
    "running": lambda rng: itertools.islice(events(rng), 100),
    "warned": lambda rng: events(rng, COLLAPSED),
    "language model": lambda rng: language_model_run(),
    "scores": lambda rng: [
        *itertools.islice(events(rng), 3),
        Validated(1, {"spearman": 0.3, "pearson": 0.2}, "spearman", True, HEALTHY, np.ones(3), np.zeros(0)),
    ],
    "ended": lambda rng: [*events(rng), RunEnded(120, "finished", 90, 0.89, 12.0, Path("out/best"))],
}


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_a_picture_of_any_size_is_of_that_size(rng, state, unicode):
    history = history_of(STATES[state](rng))
    for width, height in [
        (80, 24),
        (160, 50),
        (60, 18),
        (59, 18),
        (120, 36),
        (119, 60),
        (220, 70),
        (30, 8),
        (9, 2),
        *itertools.product(range(1, 12), (1, 3, 10)),
    ]:
        block = picture(history, width, height, View(0.5, unicode))
        assert [width_of(row) for row in block] == [width] * height
        assert unicode or all(row.isascii() for row in text_of(block))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 50), (120, 40), (100, 30)])
def test_a_picture_says_everything_in_whole_words(rng, width, height):
    rows = text_of(picture(history_of(events(rng, COLLAPSED)), width, height, View()))
    shown = "\n".join(rows)
    expected = ["contrastive", "step 120 of 120", "epoch 3.00 of 3", "0:00 left", "learning rate 1.00e-03"]
    expected += ["31,415 tokens/s", "AUC", "0.9200", "accuracy", "step 90", "together, mean"]
    expected += [
        "apart, mean",
        "▲ threshold 0.50",
        "mean cosine 0.99",
        "uniformity",
        "rank",
        "alignment",
        "collapsed",
    ]
    expected += ["warnings" if width >= 120 else "! step 120", "step-00000120", "Ctrl-C saves and stops"]
    for text in expected:
        assert text in " ".join(shown.split()) or text in shown, text
    message = "the vectors are collapsing: choose another objective, or a lower learning rate"
    words = " ".join(shown.replace("\n", " ").split())
    assert all(word in words for word in message.split())


def test_a_run_that_saves_nothing_does_not_say_that_it_does(rng):
    history = history_of(events(rng, COLLAPSED))
    history.checkpoint, history.ended, history.closed, history.saves = None, None, False, False
    shown = "\n".join(text_of(picture(history, 80, 24, View())))
    assert "Ctrl-C stops and keeps what is learned" in shown
    assert "checkpoint" not in shown
    assert "saves" not in shown
    history.stopping = True
    for width, words in (
        (80, "stopping; a second Ctrl-C drops what is learned"),
        (40, "stopping; Ctrl-C drops"),
    ):
        assert words in "\n".join(text_of(picture(history, width, 24, View())))


def test_a_small_terminal_has_the_numbers(rng):
    shown = "\n".join(text_of(picture(history_of(events(rng, COLLAPSED)), 40, 12, View())))
    for text in (
        "step 120/120",
        "AUC 0.9200, best 0.8900 at step 90",
        "collapsed",
        "! step 120",
        "Ctrl-C",
    ):
        assert text in shown


def test_clocks_go_on_between_steps(rng):
    history = history_of(itertools.islice(events(rng), 60))
    left = [text_of(picture(history, 80, 24, View(seconds)))[1] for seconds in (0.0, 3.0, 100.0)]
    assert "0:06, 0:06 left" in left[0]
    assert "0:09, 0:03 left" in left[1]
    assert "1:46, 0:00 left" in left[2]


def test_the_histogram_is_where_the_cosines_are(rng):
    history = history_of(itertools.islice(events(rng), 3))
    values = np.full(50, 0.75), np.full(50, -0.25)
    history.take(Validated(1, {"auc": 1.0, "threshold": 0.25}, "auc", True, HEALTHY, *values))
    rows = text_of(picture(history, 80, 24, View()))
    axis = next(i for i, row in enumerate(rows) if "cosine" in row and "0.0" in row)
    left = (80 - 2) * 56 // 100
    per_unit = (rows[axis].index("0.5") - rows[axis].index("0.0")) / 0.5  # cells
    bars_of = [row[:left] for row in rows[axis - 7 : axis - 1]]
    together, apart = (
        np.mean([i for row in half for i, c in enumerate(row) if c == "█"])
        for half in (bars_of[:3], bars_of[3:])
    )
    assert (together - apart) / per_unit == pytest.approx(1.0, abs=0.1)


def test_text_from_outside_cannot_act_on_the_terminal(rng):
    nasty = "\x1b[2J\x07\u202e evil\r\n"
    started = RunStarted(TrainingSettings(), {"model": nasty, "output": nasty, nasty: "x"}, 10, 0)
    history = history_of([started, Warned(1, nasty), CheckpointWritten(1, Path(nasty), True)])
    for size in ((80, 24), (160, 50), (40, 10)):
        for row in text_of(picture(history, *size, View())):
            assert all(c.isprintable() for c in row)
    stream = io.StringIO()
    lines = PlainLines(Console(file=stream))
    for event in (started, Warned(1, nasty), CheckpointWritten(1, Path(nasty), True)):
        lines.report(event)
    assert all(c.isprintable() or c == "\n" for c in stream.getvalue())


# gauges


@pytest.mark.parametrize(
    ("step", "collapse", "level"),
    [
        (0, Collapse(0.97, 0.1, -0.1, 3.0, 24), "before"),
        (9, HEALTHY, "healthy"),
        (9, Collapse(0.93, 0.1, -0.3, 14.0, 24), "watch"),
        (9, Collapse(0.97, 0.1, -0.1, 14.0, 24), "watch"),
        (9, COLLAPSED, "collapsed"),
        (9, Collapse(0.97, 0.1, -0.1, 4.0, 24), "collapsed"),
        (9, Collapse(0.20, None, -2.0, 1.5, 24), "collapsed"),
    ],
)
def test_the_verdict_of_the_gauges(rng, step, collapse, level):
    before = [] if step == 0 else [validated(0, rng, BEFORE)]
    gauges = gauges_of(history_of([*before, validated(step, rng, collapse)]))
    assert verdict(gauges) == level
    assert len(gauges) == (3 if collapse.alignment is None else 4)
    assert all(gauge.share is None or 0 <= gauge.share <= 1 for gauge in gauges)


# lines


def test_plain_lines(rng):
    stream = io.StringIO()
    lines = PlainLines(Console(file=stream, width=40))
    ended = RunEnded(120, "max_seconds", 90, 0.89, 75.0, Path("out/best"))
    for event in [*itertools.islice(events(rng), 3), *list(events(rng, COLLAPSED))[-3:], ended]:
        lines.report(event)
    lines.close()
    shown = stream.getvalue()
    assert "\x1b" not in shown
    rows = shown.splitlines()
    assert rows[0] == "model          D=24, L=2, H=3, 12,345 parameters"
    assert rows[3].startswith(
        "step   0/120  validation: AUC 0.5000 (best so far), average precision 0.7900, "
    )
    assert rows[3].endswith("effective rank 15.0 of 24; alignment 0.400")
    assert rows[4] == (
        "step   1/120  epoch 0.03  loss 1.067  lr 1.00e-03  gradient 0.5000  31,415 tokens/s  0:00, 0:12 left"
    )
    assert rows[6] == "step 120/120  checkpoint: somewhere/deep/checkpoints/step-00000120"
    assert rows[7].startswith("step 120/120  warning: the vectors are collapsing: ")
    assert rows[8] == "step 120/120  stopped: the time is up, 1:15; best 0.8900 at step 90; model: out/best"


def test_a_full_disk_under_the_log_does_not_stop_the_training(rng):
    with contextlib.suppress(OSError), open("/dev/full", "w") as full:  # closing it fails too
        lines = PlainLines(Console(file=full))
        for event in itertools.islice(events(rng), 3):
            lines.report(event)


def test_json_lines_are_the_events(rng):
    stream = io.StringIO()
    reporter = JsonLines(stream)
    for event in [*events(rng), RunEnded(120, "finished", None, None, 1.0, Path("out"))]:
        reporter.report(event)
    reporter.close()
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    kinds = [record["event"] for record in records]
    assert kinds[:3] == ["started", "validated", "step"]
    assert kinds[-2:] == ["warning", "ended"]
    assert kinds.count("step") == 120
    assert records[0]["settings"]["objective"] == "contrastive"
    assert records[1]["collapse"] == BEFORE._asdict()
    assert "positives" not in records[1]
    assert records[-1]["path"] == "out"


# the dashboard off a terminal: what a terminal sees is in tests/cli/test_cli_train_terminal.py


def test_a_dashboard_that_saw_nothing_leaves_nothing():
    stream = io.StringIO()
    dashboard = Dashboard(Console(file=stream, force_terminal=True))
    dashboard.close()
    dashboard.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("seconds_of_work", "most"), [(0.0, 9), (0.05, 1)])
def test_a_dashboard_draws_seldom_enough(rng, monkeypatch, seconds_of_work, most):
    """At most 8 pictures a second, and where one takes 50 ms of work none for the next 6 seconds."""

    def slow_picture(*arguments):
        end = time.thread_time() + seconds_of_work
        while time.thread_time() < end:
            pass
        return picture(*arguments)

    monkeypatch.setattr(dashboard_module, "picture", slow_picture)
    dashboard = Dashboard(Console(file=io.StringIO(), force_terminal=True))
    try:
        for event in events(rng):
            dashboard.report(event)
            time.sleep(0.008)
        assert 1 <= dashboard.pictures <= most
    finally:
        dashboard.close()


def test_what_others_write_to_stderr_is_shown_and_comes_out_at_the_end(rng, capsys):
    stream = io.StringIO()
    dashboard = Dashboard(Console(file=stream, force_terminal=True, width=80, height=24))
    run = list(itertools.islice(events(rng), 5))
    try:
        for event in run:
            dashboard.report(event)
        print("a library \x1b[2Jcomplains", file=sys.stderr)
        assert capsys.readouterr().err == ""
    finally:
        dashboard.close()
    assert capsys.readouterr().err == "a library \x1b[2Jcomplains\n"  # as it was written, by whom it was
    assert "! step 3: a library ‹1b›[2Jcomplains" in stream.getvalue()


def test_a_terminal_that_takes_nothing_does_not_hold_up_the_training(rng):
    """Ctrl-S, or a connection that hangs: whoever writes to the terminal waits."""
    stalled, goes_on = threading.Event(), threading.Event()

    class Stalling(io.StringIO):
        def write(self, text: str) -> int:
            if threading.current_thread() is not threading.main_thread():
                stalled.set()
                goes_on.wait(30)
            return super().write(text)

    stream = Stalling()
    dashboard = Dashboard(Console(file=stream, force_terminal=True))
    run = events(rng)
    dashboard.report(next(run))
    assert stalled.wait(30)
    reporting = threading.Thread(target=lambda: [dashboard.report(event) for event in run], daemon=True)
    reporting.start()
    reporting.join(5)
    waited = reporting.is_alive()
    goes_on.set()
    dashboard.close()
    assert not waited
    assert "120" in stream.getvalue().rpartition("\x1b[?1049l")[2]  # the last picture knows all of it


def test_a_picture_that_cannot_be_drawn_ends_the_dashboard_alone(rng, monkeypatch, capsys):
    def broken(*arguments):
        raise KeyError("no such panel")

    stream = io.StringIO()
    dashboard = Dashboard(Console(file=stream, force_terminal=True))
    dashboard.report(next(events(rng)))
    monkeypatch.setattr(dashboard_module, "picture", broken)
    for event in itertools.islice(events(rng), 1, 40):
        dashboard.report(event)
        time.sleep(0.01)
    dashboard.close()
    assert capsys.readouterr().err == "the dashboard stopped: KeyError('no such panel')\n"
    assert "epoch" in stream.getvalue().rpartition("\x1b[?1049l")[2]  # plain lines follow
    assert stream.getvalue().rindex("\x1b[?1049h") < stream.getvalue().rindex("\x1b[?1049l")
    assert stream.getvalue().rindex("\x1b[?25l") < stream.getvalue().rindex("\x1b[?25h")


@pytest.mark.parametrize("pause", [0.0, 0.01])
def test_no_event_is_lost_where_a_picture_cannot_be_drawn(rng, monkeypatch, capsys, pause):
    """Whether the thread finds that out on the way (a pause) or the last picture does."""

    def broken(*arguments):
        raise KeyError("no such panel")

    run = list(itertools.islice(events(rng), 40))
    stream, expected = io.StringIO(), io.StringIO()
    dashboard = Dashboard(Console(file=stream, force_terminal=True))
    lines = PlainLines(Console(file=expected, force_terminal=True))
    dashboard.report(run[0])
    lines.report(run[0])
    start = expected.tell()
    monkeypatch.setattr(dashboard_module, "picture", broken)
    for event in run[1:]:
        dashboard.report(event)
        lines.report(event)
        time.sleep(pause)
    dashboard.close()
    assert stream.getvalue().rpartition("\x1b[?1049l")[2].endswith(expected.getvalue()[start:])
    assert capsys.readouterr().err.count("the dashboard stopped") == 1


def test_stderr_stays_where_the_screen_cannot_be_opened(rng, capsys):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            if "\x1b[?1049h" in text:
                raise OSError("gone")
            return super().write(text)

    before = sys.stderr
    dashboard = Dashboard(Console(file=Gone(), force_terminal=True))
    dashboard.report(next(events(rng)))
    dashboard.close()
    assert sys.stderr is before
    assert "the dashboard stopped: OSError('gone')" in capsys.readouterr().err


def test_an_interrupted_close_can_be_repeated(rng, monkeypatch):
    """Ctrl-C while the terminal takes nothing: the end of the program calls `close` again."""
    stream = io.StringIO()
    dashboard = Dashboard(Console(file=stream, force_terminal=True))
    dashboard.report(next(events(rng)))

    def interrupted():
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dashboard._thread, "join", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dashboard.close()
    dashboard.close()
    assert "\x1b[?1049l" in stream.getvalue()


def test_the_terminal_is_given_back_where_nobody_closes(rng):
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1])\n"
        "from test_reporters import *\n"
        "dashboard = Dashboard(Console(file=sys.stdout, force_terminal=True))\n"
        "for event in itertools.islice(events(np.random.default_rng(0)), 5): dashboard.report(event)\n"
        "raise RuntimeError('lost')"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, timeout=60, env=os.environ | {"PYTHONUTF8": "1"})
    out = done.stdout.decode()
    assert done.returncode == 1
    assert b"RuntimeError: lost" in done.stderr
    assert out.index("\x1b[?1049h") < out.index("\x1b[?1049l")
    assert out.rindex("\x1b[?25l") < out.rindex("\x1b[?25h")
