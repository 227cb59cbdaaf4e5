"""Values where they should be: read back from the rows, the colours and the HTML of each view."""

import base64
import itertools
import re
import zlib

import numpy as np
import pytest
from drawn import TOKENS, cells, lines, parsed
from rich.cells import cell_len

from minigpt2.views import (
    Bars,
    Canvas,
    HeatGrid,
    HeatMap,
    Lines,
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
        if len(rows) > 1:  # each row of text begins with the number of its first dimension
            assert int("".join(c for c, *_ in row).split()[0]) == len(found)
        dots = [(fore, back) for c, fore, back in row if c in "▀▄ " and (fore or back)]
        found += [fore for fore, _ in dots] + [back for _, back in dots if back]
    assert found == [ground(True, v, -1, 1) for v in vector]


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


@pytest.mark.parametrize("D", [1, 300, 5000])
def test_html_of_a_vector_has_a_dot_for_each_dimension(rng, D):
    vector = rng.uniform(-1, 1, D)
    _, tags = parsed(VectorStrip(vector, low=-1.0, high=1.0).html())
    if D > 2048:
        image = decoded(next(a["src"] for tag, a in tags if tag == "img")).reshape(-1, 4)
        assert (image[D:, 3] == 0).all()
        found = [tuple(colour[:3]) for colour in image[:D].tolist()]
    else:
        fills = [a["fill"] for tag, a in tags if tag == "rect"]
        found = [tuple(bytes.fromhex(fill[1:])) for fill in fills]
    assert found == [ground(True, v, -1, 1) for v in vector]


def test_a_few_outlying_values_do_not_set_the_scale(rng):
    vector = rng.uniform(-0.1, 0.1, 300)
    vector[5] = -4.0
    shown = lines(VectorStrip(vector), 100)
    assert "beyond the scale, the farthest -4" in " ".join(shown)
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
    some = lines(HeatMap(values, rows="abc", columns=[f"#{i}" for i in (8, 9, 98, 99, 998, 999)]), 16)
    assert some[0].split() == ["#8", "#99"]
    assert not any("columns" in line for line in some)


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


def test_large_maps_of_a_grid_show_the_largest_of_squares(rng):
    maps = rng.uniform(0, 1, (3, 50, 51))
    maps[:, np.arange(50)[:, None] < np.arange(51)] = np.nan
    view = HeatGrid(maps, titles=["a", "b", "c"], low=0.0, high=1.0)
    shown = cells(view, 80)
    upper = [fore for c, fore, _ in shown[4] if c == "▀"]  # the row of values 6 and 7 of squares of 3
    expected = []
    for values in maps:
        for c in range(17):
            square = values[18:21, 3 * c : 3 * c + 3]
            if np.isfinite(square).any():
                expected.append(ground(False, np.nanmax(square), 0, 1))
    assert upper == expected
    assert "a dot is the largest of 3 × 3 values" in " ".join(lines(view, 80))


# layout


@pytest.mark.parametrize(
    ("n", "group", "width", "expected"),
    [
        (12, 4, 80, [8, 4]),  # two layers in a row
        (12, 4, 40, [4, 4, 4]),
        (6, 3, 24, [2, 1, 2, 1]),  # equal parts of a layer
        (7, 1, 40, [4, 3]),
    ],
)
def test_a_row_of_a_grid_holds_whole_groups(rng, n, group, width, expected):
    titles = [f"{i // group}.{i % group}" for i in range(n)]
    shown = lines(HeatGrid(rng.random((n, 8, 8)), titles=titles, group=group), width)
    rows = [row.split() for row in shown if re.fullmatch(r"(\d\.\d\s*)+", row)]
    assert [len(row) for row in rows] == expected
    assert [title for row in rows for title in row] == titles


@pytest.mark.parametrize("width", [40, 80, 200])
def test_rows_of_a_grid_have_their_labels(rng, width):
    names = [f"#{i}" for i in range(7, 19)]
    shown = lines(HeatGrid(rng.random((2, 12, 12)), titles=["a", "b"], labels=names), width)
    labels = [row.split()[0] for row in shown if row.strip().startswith("#")]
    assert labels in (names, names[::2])  # beside each row of text, which may show two of the map


def test_columns_of_text_give_way_alike():
    row = ["one " * 20, "two " * 30, 0.5]
    line = lines(Table(["a", "b", "score"], [row]), 80)[2]
    first, second, _ = (part for part in re.split("…", line))
    assert abs(cell_len(first) - cell_len(second.strip())) <= 1
    assert cell_len(line) == 80


def test_notes_come_before_the_ends_of_long_labels():
    for width in (60, 80, 120):
        bars = Bars(
            ["a sentence that is rather long to stand here " * 2] * 3, [0.5, 0.4, 0.3], notes=["alike"] * 3
        )
        assert sum("alike" in line for line in lines(bars, width)) == 3


@pytest.mark.parametrize("height", [10, 24, 60])
def test_ticks_of_lines_stand_at_equal_distances(rng, height):
    for low, high in ((0.13, 0.97), (-0.2, 0.31), (3.0, 471.0), (0.51, 0.53)):
        view = Lines({"a": np.array([low, high])}, x=["0", "1"])
        rows = ["".join(s.text for s in row) for row in view.draw(Canvas(80, height))]
        at = [i for i, row in enumerate(rows) if "┤" in row]
        assert len(at) > 1
        assert len(set(np.diff(at))) == 1
        assert len(rows) <= max(4, height // 2) + 3


def test_a_table_gives_its_cells():
    table = Table(["a", "b"], [["x", 1.25], ["y", None], ["z", 2]])
    assert table.cells() == ([["x", "y", "z"], ["1.25", "", "2.00"]], [False, True])
    assert table.cells(1)[0] == [["x"], ["1.25"]]


def test_colours_without_unicode_need_no_character(rng):
    for view in (
        VectorStrip(rng.standard_normal(300)),
        HeatGrid(rng.random((9, 20, 20)), titles=list("abcdefghi")),
    ):
        assert "?" not in "".join(lines(view, 80, "truecolor", unicode=False))
