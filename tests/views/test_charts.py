"""Charts dot by dot: curves, histograms, bars, and the numbers on their axes."""

import itertools

import numpy as np
import pytest
from rich.style import Style

from minigpt2.views.charts import (
    BRAILLE_BITS,
    Curve,
    bars,
    curves,
    progress_bar,
    round_ticks,
    sparkline,
    tick_text,
)
from minigpt2.views.frame import in_ascii, width_of

PLAIN = Style()


def text_of(block):
    return ["".join(segment.text for segment in row) for row in block]


def dots(row):
    """(4, 2·cells) bool of a row of braille"""
    codes = np.array([ord(c) - 0x2800 if ord(c) >= 0x2800 else 0 for c in row])
    lit = np.zeros((4, 2 * len(row)), dtype=bool)
    for i, j in itertools.product(range(4), range(2)):
        lit[i, j::2] = codes & BRAILLE_BITS[i, j] > 0
    return lit


def plot(chart, gutter):
    """(4·rows, 2·cells) bool: the dots inside the axes"""
    return np.concatenate([dots(row[gutter:]) for row in text_of(chart)[:-2]])


def test_a_straight_line_is_straight():
    x = np.linspace(0, 100, 101)
    chart = curves([Curve(x, 2 * x, PLAIN, "*")], 44, 12, x_end=100, y_range=(0.0, 200.0))
    assert [len(row) for row in text_of(chart)] == [44] * 12
    lit = plot(chart, 4)  # three digits and the axis
    assert lit.shape == (40, 80)
    columns = np.arange(80)
    height = 39 - np.array([np.flatnonzero(lit[:, column]).mean() for column in columns])
    assert np.abs(height - (columns + 0.5) / 2).max() <= 1.0
    rows = text_of(chart)
    assert [(i, row[:3].strip()) for i, row in enumerate(rows[:10]) if row[3] == "┤"] == [
        (0, "200"),
        (2, "150"),
        (5, "100"),
        (7, "50"),
        (9, "0"),
    ]
    assert rows[-1].split() == ["0", "50", "step"]


def test_a_step_is_drawn_without_a_gap():
    x = np.arange(100.0)
    lit = plot(curves([Curve(x, (x > 50) * 1.0, PLAIN, "*")], 30, 10, x_end=100, y_range=(0, 1)), 4)
    assert lit.any(axis=1).all()  # every height between the two levels
    assert lit.any(axis=0).all()  # and every column


def test_a_band_reaches_from_low_to_high():
    x, zero = np.arange(50.0), np.zeros(50)
    lit = plot(curves([Curve(x, zero, PLAIN, "*", zero - 1, zero + 1)], 40, 10, x_end=49, y_range=(-2, 2)), 3)
    assert lit[9:23].any(axis=1).all()
    assert not lit[:7].any()
    assert not lit[25:].any()


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize(
    "y",
    [
        np.full(7, 3.25),
        np.zeros(5),
        np.array([1e-7, 2e-7, 4e-7]),
        np.array([12_500.0, 13_000.0]),
        np.array([-1.0, np.nan, 2.0, np.inf, 1.5]),
        np.array([np.nan, np.nan]),
        np.array([4.0]),
        np.geomspace(1e-4, 10, 40),
    ],
)
def test_any_values_give_a_chart_of_the_asked_size(y, unicode):
    x = np.arange(len(y), dtype=float)
    for width, height in ((16, 4), (33, 7), (90, 20)):
        line = Curve(x, y, PLAIN, "*")
        chart = curves([line], width, height, x_end=max(x[-1], 1), may_be_log=True, unicode=unicode)
        assert [width_of(row) for row in chart] == [width] * height
        if not unicode:
            assert all(row.isascii() for row in text_of(in_ascii(chart)))


def test_a_loss_over_decades_has_a_logarithmic_axis():
    x = np.arange(50.0)
    line = Curve(x, np.geomspace(100, 0.01, 50), PLAIN, "*")
    shown = "\n".join(text_of(curves([line], 60, 20, x_end=50, may_be_log=True)))
    lit = plot(curves([line], 60, 20, x_end=50, may_be_log=True), 7)
    middle = lit[:, 50]  # half way: exponential decay is a straight line here
    assert abs(np.flatnonzero(middle).mean() - 36) < 6
    for tick in ("100", "1.0", "0.01"):
        assert tick in shown


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.13, 0.29, 3, [0.2]),
        (-0.5, 0.5, 2, [-0.5, 0, 0.5]),
        (3, 3, 4, [3]),
        (0, 1170, 4, [0, 500, 1000]),
    ],
)
def test_round_ticks(low, high, most, ticks):
    assert round_ticks(low, high, most) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ([0, 0.25, 0.5], ["0.00", "0.25", "0.50"]),
        ([0, 500, 1000], ["0", "500", "1,000"]),
        ([0, 20_000, 40_000], ["0", "20k", "40k"]),
        ([0, 1_500_000], ["0", "1.5M"]),
        ([0, 5e-4, 1e-3], ["0", "5e-4", "1e-3"]),
    ],
)
def test_axis_numbers_have_the_decimals_that_they_need(ticks, texts):
    assert [tick_text(ticks)(tick) for tick in ticks] == texts


def test_bars_in_eighths():
    block = text_of(bars(np.array([0.0, 1e-6, 0.25, 0.5, 1.0]), 2, PLAIN))
    assert block == ["    █", " ▁▄██"]


def test_sparkline_and_progress():
    assert sparkline(np.arange(8.0), 20) == "▁▂▃▄▅▆▇█"
    assert len(sparkline(np.arange(1000.0), 13)) == 13
    assert sparkline(np.array([np.nan]), 5) == ""
    assert progress_bar(0.5, 10) == ("━" * 5, "╌" * 5)
    assert progress_bar(2.0, 4, unicode=False) == ("====", "")
