"""Bars, lines, points and merges where they should be: read back from the rows and the HTML."""

import re

import numpy as np
import pytest
from drawn import lines, parsed, steps_of_lower

from minigpt2.views import Bars, Definitions, Lines, MergeSteps, Scatter

NAMES = ["one", "two", "three", "four", "five", "six"]


# bars


def test_bars_are_as_long_as_their_values():
    values = np.array([1.0, 0.5, 0.25, 0.0])
    shown = lines(Bars(["a", "b", "c", "d"], values), 47)
    eighths = {c: i for i, c in enumerate(" ▏▎▍▌▋▊▉█")}
    room = 47 - 1 - 5 - 2
    for line, value in zip(shown, values, strict=True):
        assert float(line.split()[-1]) == value
        assert sum(eighths[c] for c in line[2 : 2 + room]) == round(value * room * 8)


def test_signed_bars_start_at_the_line():
    values = np.array([0.5, -0.5, -1.0, 1.0, np.nan, np.inf])
    shown = lines(Bars(NAMES, values, low=-1.0, high=1.0), 60)
    lines_at = {line.index("│") for line in shown}
    assert len(lines_at) == 1
    at = lines_at.pop()
    left = [line[6:at].count("█") for line in shown]
    right = [line[at:].count("█") for line in shown]
    assert left[0] == left[3] == left[4] == right[1] == right[2] == 0
    assert left[2] == at - 6 > 20
    assert left[2] == pytest.approx(2 * left[1], abs=1)
    assert right[3] == right[5] == pytest.approx(2 * right[0], abs=1)
    assert [line.split()[-1] for line in shown] == ["0.500", "-0.500", "-1.000", "1.000", "NaN", "inf"]
    html = Bars(NAMES, values, low=-1.0, high=1.0).html()
    assert "left:50.00%;width:25.00%" in html
    assert "left:25.00%;width:25.00%" in html


def test_the_largest_numbers_have_bars():
    shown = lines(Bars(["a", "b"], [-1.7e308, 1.7e308]), 60)
    assert shown[0].count("█") == pytest.approx(shown[1].count("█"), abs=1)
    assert shown[0].count("█") > 15


def test_notes_stand_behind_their_values():
    shown = lines(Bars(["a", "b"], [1, 2], notes=["first", "second"]))
    assert [line.split()[-1] for line in shown] == ["first", "second"]
    assert "first" not in " ".join(lines(Bars(["a", "b"], [1, 2], notes=["first", "second"]), 20))


# lines


def test_lines_go_through_their_points():
    values = np.array([0.0, 1.0, 0.25, 0.75])
    shown = lines(Lines({"s": values}, x=["a", "b", "c", "d"], low=0.0, high=1.0), 60)
    rows = [row for row in shown if "│" in row or "┤" in row]
    start = max(row.find("│") + row.find("┤") + 1 for row in rows) + 1
    axis = next(row for row in shown if "└" in row)
    labels = shown[shown.index(axis) + 1]
    for value, name in zip(values, "abcd", strict=True):
        column = labels.index(name)
        assert axis[column] == "┬"
        lit = [
            4 * r + dot
            for r, row in enumerate(rows)
            for dot, bits in enumerate((0x09, 0x12, 0x24, 0xC0))
            if column < len(row) and ord(row[column]) >= 0x2800 and ord(row[column]) & bits
        ]
        expected = (1 - value) * (4 * len(rows) - 1)
        assert min(abs(dot - expected) for dot in lit) <= 2
    assert start > 0
    assert "━━ s" in shown[-1]


def test_several_lines_without_colours_have_marks():
    shown = lines(Lines({"up": [0, 1], "down": [1, 0]}, x="ab"), 40)
    body = "".join(row.partition("│")[2] + row.partition("┤")[2] for row in shown)
    assert "*" in body
    assert "o" in body
    assert shown[-1] == "** up   oo down"


# scatter


def test_points_stand_where_they_should():
    points = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.25], [np.nan, 1.0]])
    shown = lines(Scatter(points, labels=["low", "high", "middle", "nowhere"], marked=[2]), 60)
    top, bottom = (next(i for i, row in enumerate(shown) if row[0] == corner) for corner in "┌└")
    down, across = bottom - top - 1, 58
    found = {}
    for r, row in enumerate(shown[top + 1 : bottom]):
        for c, mark in enumerate(row[1:-1]):
            if mark in "●★":
                found[r, c] = mark
    assert found == {
        (down - 1, 0): "●",
        (0, across - 1): "●",
        (int(0.75 * down), int(0.5 * across)): "★",
    }
    assert [row.split()[1:] for row in shown[:top]] == [
        ["1", "low"],
        ["2", "high"],
        ["3", "middle"],
        ["4", "nowhere"],
    ]


def test_points_can_have_names_of_their_own():
    view = Scatter([[0, 0], [1, 1], [2, 0]], labels=["a", "b", "c"], names=["#7", "#12", "東"], groups="xyx")
    shown = lines(view, 60)
    assert [row.split() for row in shown[:3]] == [
        ["●", "#7", "a", "x"],
        ["●", "#12", "b", "y"],
        ["●", "東", "c", "x"],
    ]
    inside = " ".join(row[1:-1] for row in shown if row.startswith("│"))
    assert "●#7 a" in inside
    assert "●#12 b" in inside
    text, _ = parsed(view.html())
    assert "#12 b (y)" in text


def test_numbers_in_a_map_never_overwrite_anything(rng):
    labels = [f"label number {i}" for i in range(40)]
    shown = lines(Scatter(rng.random((40, 2)), labels=labels), 80)
    inside = " ".join(row[1:-1] for row in shown if row.startswith("│"))
    for found in re.findall(r"●(\d+) (label[^●│]*?)(?=  |●|$)", inside):
        assert labels[int(found[0]) - 1].startswith(found[1].rstrip("… ").rstrip())
    numbers = re.findall(r"(?<!\w)(\d+)(?=●)|●(\d+)", inside)
    assert len(numbers) > 20


# merges


def test_merges_are_told_one_by_one():
    assert lines(MergeSteps("lower", steps_of_lower())) == [
        "lower",
        "  bytes   l o w e r",
        "  rank 0  [lo] w e r   l + o = 258",
        "  rank 1  [low] e r   lo + w = 259",
        "  rank 7  low [er]   e + r = 265",
    ]
    text, tags = parsed(MergeSteps("lower", steps_of_lower()).html())
    assert "lo + w = 259" in text
    assert sum("background" in attributes.get("style", "") for _, attributes in tags) == 3


# definitions


def test_meanings_stand_beside_their_terms():
    view = Definitions([("/sim A | B", "every metric of two sentences"), ("/quit", "leave")])
    assert lines(view, 60) == ["/sim A | B  every metric of two sentences", "/quit       leave"]
    assert lines(view, 24) == ["/sim A | B", "  every metric of two", "  sentences", "/quit", "  leave"]
    assert parsed(view.html())[0] == "/sim A | Bevery metric of two sentences/quitleave"
