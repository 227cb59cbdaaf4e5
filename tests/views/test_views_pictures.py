"""Values where they should be: read back from the rows, the colours and the HTML of each view."""

import base64
import itertools
import re
import zlib

import numpy as np
import pytest
from drawn import TOKENS, cells, lines, parsed, steps_of_lower
from rich.cells import cell_len

from minigpt2.views import (
    Bars,
    HeatGrid,
    HeatMap,
    Lines,
    MergeSteps,
    Scatter,
    Table,
    TokenChips,
    VectorStrip,
)
from minigpt2.views.palette import LEVELS, scale

NAMES = ["one", "two", "three", "four", "five", "six"]


def ground(diverging, value, low, high):
    """The colour that stands for a value."""
    return scale(diverging)[round((value - low) / (high - low) * (LEVELS - 1))].ground


# table


def test_a_table_says_its_cells():
    rows = [["alpha beta", 0.83, 7, None], ["γ", -0.125, 12, "x"], ["東京", 0.5, 0, "y"]]
    head, rule, *body = lines(Table(["text", "score", "n", "more"], rows, caption="about it"))
    assert head.split() == ["text", "score", "n", "more"]
    assert set(rule) == {"─", " "}
    assert [re.split(r"  +", line.strip()) for line in body[:3]] == [
        ["alpha beta", "0.830", "7"],
        ["γ", "-0.125", "12", "x"],
        ["東京", "0.500", "0", "y"],
    ]
    ends = {
        cell_len(line[: line.index(text) + len(text)])
        for line, text in zip(body[:3], ("0.830", "-0.125", "0.500"), strict=True)
    }
    assert len(ends) == 1  # numbers end in one column, whatever the width of the characters before
    assert body[3] == "about it"
    text, tags = parsed(Table(["text", "score", "n", "more"], rows).html())
    assert [tag for tag, _ in tags].count("td") == 12
    assert "-0.125" in text


def test_the_widest_column_of_text_gives_way_first():
    row = ["a sentence that is much too long for it", "short one", 0.123, 1]
    for width in range(32, 70):
        line = lines(Table(["text", "other", "score", "n"], [row]), width)[2]
        assert "short one" in line
        assert "0.123" in line
        assert (
            line.split("  ")[0].rstrip("…").strip() == row[0][: len(line.split("  ")[0].rstrip("…").strip())]
        )
        assert ("…" in line) == (cell_len(row[0]) + 2 + 9 + 2 + 5 + 2 + 1 > width)


def test_a_table_without_room_is_a_list():
    shown = lines(Table([f"column {i}" for i in range(9)], [list(range(9)), list(range(9, 18))]), 24)
    assert shown[0].split() == ["column", "0", "0"]
    assert shown[9] == ""
    assert shown[-1].split() == ["column", "8", "17"]


def test_alignment_can_be_chosen():
    shown = lines(Table(["a", "b"], [[1, "xxx"], [22, "y"]], align=["left", "right"]))
    assert shown[2:] == ["1   xxx", "22    y"]


# chips


@pytest.mark.parametrize("width", [20, 33, 80, 200])
def test_chips_and_their_ids_stand_in_order(width):
    ids = [7, 42, 50256, 3, 999, 12, 0, 5, 31337, 8, 21, 4]
    weights = np.linspace(-1, 1, 12)
    tokens = ["The", " cat", "東京", "😀", "x", "‹e2 82›", "a b", " sat", " on", " the", " mat", "."]
    shown = lines(TokenChips(tokens, ids=ids, weights=weights), width)
    rows = [row for row in shown if row]
    texts = " ".join(rows[::3])
    for token in ("[The]", "[␣cat]", "[東京]", "[😀]", "[‹e2 82›]", "[a␣b]"):
        assert token in texts
    assert [int(i) for i in " ".join(rows[1::3]).split()] == ids
    np.testing.assert_allclose([float(w) for w in " ".join(rows[2::3]).split()], weights, atol=0.005)


def test_ids_stand_below_their_chips():
    chips, ids = lines(TokenChips(["alpha", " beta", "gamma"], ids=[111, 222, 333]))
    for token, id in (("[alpha]", "111"), ("[␣beta]", "222"), ("[gamma]", "333")):
        start = chips.index(token)
        assert start <= ids.index(id) < start + len(token)
        assert abs((ids.index(id) + 1) - (start + 3)) <= 1


def test_weights_colour_the_chips():
    weights = np.array([-0.5, 0.0, 1.0, np.nan])
    row = cells(TokenChips(["aaa", "bbb", "ccc", "ddd"], weights=weights))[0]
    found = {c: back for c, _, back in row}
    assert found["a"] == ground(True, -0.5, -1, 1)
    assert found["b"] == ground(True, 0.0, -1, 1)
    assert found["c"] == ground(True, 1.0, -1, 1)
    assert found["d"] is None


def test_neighbouring_chips_differ():
    grounds = [back for c, _, back in cells(TokenChips(["x"] * 12))[0] if c == "x"]
    assert all(a != b for a, b in itertools.pairwise(grounds))
    text, tags = parsed(TokenChips(TOKENS, ids=range(12)).html())
    assert sum(attributes.get("role") == "listitem" for _, attributes in tags) == 12
    assert "␣cat" in text


# strip


@pytest.mark.parametrize(("D", "width"), [(384, 80), (384, 200), (100, 60), (768, 40), (130, 77)])
def test_every_dimension_has_its_dot(rng, D, width):
    vector = rng.uniform(-1, 1, D)
    rows = [
        row for row in cells(VectorStrip(vector, low=-1.0, high=1.0), width) if "▀" in {c for c, *_ in row}
    ]
    found = []
    for row in rows:
        dots = [(fore, back) for c, fore, back in row if c in "▀▄ " and (fore or back)]
        found += [fore for fore, _ in dots] + [back for _, back in dots if back]
    assert found == [ground(True, v, -1, 1) for v in vector]
    if len(rows) > 1:
        firsts = [int("".join(c for c, *_ in row).split()[0]) for row in rows]
        assert firsts[0] == 0
        assert len(set(np.diff(firsts))) == 1


def test_a_short_vector_has_wide_dots():
    vector = np.array([-1.0, 0.5, np.nan, 1.0])
    row = cells(VectorStrip(vector))[0]
    expected = [ground(True, -1, -1, 1), ground(True, 0.5, -1, 1), None, ground(True, 1, -1, 1)]
    assert [back for _, _, back in row] == [colour for colour in expected for _ in range(4)]


def test_a_strip_without_colours_has_bars_and_digits():
    vector = np.linspace(-2, 2, 10)
    assert lines(VectorStrip(vector), unicode=False)[0] == "".join(str(i) * 4 for i in range(10))
    assert lines(VectorStrip([-1.0, np.nan, 1.0]))[0] == "▁▁▁▁????████"


def test_a_strip_of_some_rows_shows_means():
    vector = np.repeat([-1.0, 1.0], 200)
    shown = lines(VectorStrip(vector, rows=1), 40, unicode=False)
    assert shown[0] == "0" * 20 + "9" * 20
    assert "the mean of 10 a dot" in " ".join(shown)


def test_a_few_outlying_values_do_not_set_the_scale(rng):
    vector = rng.uniform(-0.1, 0.1, 300)
    vector[5] = -4.0
    shown = lines(VectorStrip(vector), 100)
    assert "1 beyond the scale, to ±4" in " ".join(shown) or "beyond the scale, to ±4" in " ".join(shown)
    assert abs(float(shown[-1].split()[0])) < 0.11


# heat maps


@pytest.mark.parametrize("width", [40, 80, 200])
def test_cells_have_their_numbers_and_colours(rng, width):
    values = np.tril(rng.uniform(0, 1, (6, 6)))
    values[np.triu_indices(6, 1)] = np.nan
    view = HeatMap(values, rows=NAMES, columns=NAMES, low=0.0, high=1.0)
    body = lines(view, width)[1:7]
    for r, line in enumerate(body):
        numbers = [float(text) for text in re.findall(r"\d*\.\d+", line)]
        np.testing.assert_allclose(numbers, values[r, : r + 1], atol=0.051 if width == 40 else 0.0051)
        assert NAMES[r] in line
    for r, row in enumerate(cells(view, width)[1:7]):
        grounds = [back for _, _, back in row if back is not None]
        per_cell = len(grounds) // (r + 1)
        assert grounds == [ground(False, values[r, c], 0, 1) for c in range(r + 1) for _ in range(per_cell)]


def test_columns_are_named_or_numbered(rng):
    values = rng.random((3, 6))
    wide = lines(HeatMap(values, rows="abc", columns=NAMES), 80)
    assert wide[0].split() == NAMES
    middles = [wide[0].index(name) + len(name) / 2 for name in NAMES]
    assert np.ptp(np.diff(middles)) <= 2
    narrow = lines(HeatMap(values, rows="abc", columns=NAMES), 28)
    assert narrow[0].split() == list("012345")
    assert "columns:  0 one" in narrow[-2] + narrow[-1] + narrow[-3]
    same = lines(HeatMap(rng.random((6, 6)), rows=NAMES, columns=NAMES), 28)
    assert [line.split()[:2] for line in same[1:7]] == [[str(i), name] for i, name in enumerate(NAMES)]


def test_a_matrix_without_room_or_colours_is_dense_where_it_is_high():
    values = np.linspace(0, 1, 45).reshape(1, 45)
    row = lines(HeatMap(values, rows=["r"], columns=[str(i) for i in range(45)]), 48)[1]
    assert row == "r " + "·" * 9 + "░" * 9 + "▒" * 9 + "▓" * 9 + "█" * 9


def test_html_of_a_matrix_has_its_values(rng):
    values = rng.standard_normal((3, 4))
    values[1, 2] = np.nan
    html = HeatMap(values, rows="abc", columns="wxyz", diverging=True, digits=3).html()
    _, tags = parsed(html)
    numbers = [float(found) for found in re.findall(r">(-?\d+\.\d{3})</td>", html)]
    np.testing.assert_allclose(numbers, values[np.isfinite(values)], atol=5e-4)
    assert next(a["title"] for tag, a in tags if "title" in a).startswith("a, w: ")


def decoded(address):
    """(R, C, 4) of a PNG without filters"""
    data = base64.b64decode(address.split(",")[1])
    width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
    start = data.index(b"IDAT") + 4
    raw = zlib.decompress(data[start:])
    return np.frombuffer(raw, np.uint8).reshape(height, 1 + 4 * width)[:, 1:].reshape(height, width, 4)


def test_small_maps_have_their_values(rng):
    maps = rng.uniform(0, 1, (7, 5, 9))
    maps[:, 0, 4] = np.nan
    view = HeatGrid(maps, titles=[f"t{i}" for i in range(7)], low=0.0, high=1.0)
    images = [a["src"] for tag, a in parsed(view.html())[1] if tag == "img"]
    for values, address in zip(maps, images, strict=True):
        image = decoded(address)
        for (r, c), value in np.ndenumerate(values):
            if np.isnan(value):
                assert image[r, c, 3] == 0
            else:
                assert tuple(image[r, c]) == (*ground(False, value, 0, 1), 255)


def test_a_grid_stands_in_rows_with_titles(rng):
    maps = rng.uniform(0, 1, (6, 12, 12))
    view = HeatGrid(maps, titles=[f"head {i}" for i in range(6)], low=0.0, high=1.0)
    rows = cells(view, 43)
    plain = ["".join(c for c, *_ in row) for row in rows]
    titles = [i for i, row in enumerate(plain) if "head" in row]
    assert [plain[i].split("  ")[0].strip() for i in titles] == ["head 0", "head 3"]
    for top, first in zip(titles, (0, 3), strict=True):
        for k in range(6):  # two rows of values in one of text
            upper = [fore for c, fore, _ in rows[top + 1 + k] if c == "▀"]
            lower = [back for c, _, back in rows[top + 1 + k] if c == "▀"]
            for which, found in ((2 * k, upper), (2 * k + 1, lower)):
                expected = [ground(False, v, 0, 1) for m in range(3) for v in maps[first + m, which]]
                assert found == expected


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
    assert left[2] == pytest.approx(2 * left[1], abs=1)
    assert right[3] == right[5] == pytest.approx(2 * right[0], abs=1)
    assert [line.split()[-1] for line in shown] == ["0.500", "-0.500", "-1.000", "1.000", "NaN", "inf"]
    html = Bars(NAMES, values, low=-1.0, high=1.0).html()
    assert "left:50.00%;width:25.00%" in html
    assert "left:25.00%;width:25.00%" in html


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
    assert [row.split()[1:] for row in shown[bottom + 1 :]] == [
        ["1", "low"],
        ["2", "high"],
        ["3", "middle"],
        ["4", "nowhere"],
    ]


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
    text, _ = parsed(MergeSteps("lower", steps_of_lower()).html())
    assert "lo + w = 259" in text
