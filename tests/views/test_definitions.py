"""Terms and what they mean."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from minigpt2.views.definitions import Definitions

PAIRS = (("/sim A | B", "how alike two sentences are"), ("/q", "leave"), ("漢字 \x1b[2J", "a <b> & c"))


def drawn(view, width):
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(view)
    return file.getvalue()


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_every_word_is_there_and_no_row_too_wide(width):
    text = drawn(Definitions(PAIRS), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "\x1b" not in text
    for word in ("how", "alike", "two", "sentences", "are", "leave", "/sim", "/q"):
        assert word in text.split()


def test_meanings_stand_beside_their_terms_in_one_column():
    rows = drawn(Definitions(PAIRS[:2]), 80).splitlines()
    assert rows == ["/sim A | B  how alike two sentences are", "/q          leave"]
    rows = drawn(Definitions(PAIRS[:2], terms_width=20), 80).splitlines()
    assert [row.index(word) for row, word in zip(rows, ("how", "leave"), strict=True)] == [22, 22]


def test_a_term_that_is_too_long_stands_above():
    rows = drawn(Definitions([("x" * 45, "meaning"), ("y", "other")]), 80).splitlines()
    assert rows == ["x" * 45, " " * 42 + "meaning", "y" + " " * 41 + "other"]


def test_html_is_escaped():
    html = Definitions(PAIRS).html()
    assert "a &lt;b&gt; &amp; c" in html
    assert "\x1b" not in html
