"""README's pictures are what the REPL shows now, and complete documents of their own."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from compare import differences, side_by_side
from emulator import text_of
from pictures import FOLDER, LINES, rows_of_pictures
from player import ROOT
from svg import picture, text_in
from test_tour_compare import screen_of

LARGEST = 150_000  # bytes
NAMES = [name for _, name in LINES if name]
AGAIN = "if this is meant: python tests/tour/pictures.py"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the REPL shows now."""
    return rows_of_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_shows_what_a_fresh_run_shows(shown, name):
    stored = text_in((FOLDER / f"{name}.svg").read_text(encoding="utf-8"))
    now = "\n".join(text_of(row) for row in shown[name])
    if found := differences(stored, now):
        pytest.fail(f"{name}.svg: {AGAIN}\n{side_by_side(stored, now, found)}", pytrace=False)


def test_every_picture_is_small_and_needs_nothing_from_elsewhere():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(NAMES)
    for path in FOLDER.iterdir():
        svg = path.read_text(encoding="utf-8")
        assert path.stat().st_size <= LARGEST
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert not re.search(r"url\(|@import|href|<script|<image|<foreignObject", svg)


def test_readme_shows_pictures_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"tests/tour/pictures/\S+?\.svg", readme)
    assert len(linked) >= 4
    for link in linked:
        assert Path(ROOT, link).is_file()


def shapes(svg, tag):
    return [
        dict(each.attrib) for each in ElementTree.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{tag}")
    ]


def test_text_stands_in_its_columns():
    svg = picture(screen_of("ab  <c>\n \x1b[1mbold\x1b[0m \x1b[2;31mred"), "a title")
    texts = list(ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))[1:]
    assert [each.text for each in texts] == ["ab", "<c>", "bold", "red"]
    width = float(texts[0].attrib["textLength"]) / 2
    assert [float(each.attrib["x"]) / width for each in texts] == pytest.approx([0, 4, 1, 6])
    assert [each.attrib.get("class") for each in texts] == [None, None, "b", "d"]
    assert "style" in texts[3].attrib
    assert text_in(svg) == "ab  <c>\n bold red"


def test_wide_characters_take_two_columns():
    svg = picture(screen_of("猫猫  a"), "a title")
    texts = list(ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))[1:]
    assert [each.text for each in texts] == ["猫猫", "a"]
    assert [float(each.attrib["x"]) for each in texts] == pytest.approx([0, 6 * 8.4])


def test_blocks_are_shapes_of_their_part_of_the_cell():
    svg = picture(screen_of("\x1b[38;2;1;2;3m█▀▌▁\x1b[0m\x1b[48;2;9;9;9m \x1b[0m"), "a title")
    drawn = [each for each in shapes(svg, "rect") if each["fill"] == "#010203"]
    width, height = float(drawn[0]["width"]), float(drawn[0]["height"])
    parts = [
        tuple(
            round(float(each[name]) / unit, 2)
            for name, unit in (("x", width), ("y", height), ("width", width), ("height", height))
        )
        for each in drawn
    ]
    assert parts == [
        (0, 0, 1, 1),
        (1, 0, 1, 0.5),
        (2, 0, 0.5, 1),
        (3, pytest.approx(0.88), 1, pytest.approx(0.12)),
    ]
    assert [each["x"] for each in shapes(svg, "rect") if each["fill"] == "#090909"] == [f"{4 * width:.4g}"]


def test_braille_and_lines_are_paths():
    svg = picture(screen_of("\x1b[38;2;1;2;3m⠉ ┼─\x1b[0m"), "a title")
    drawn = [each["d"] for each in shapes(svg, "path")]
    assert drawn[0].count("M") == 2  # two dots
    assert len(drawn) == 1 + 4 + 1  # a cross has four arms
