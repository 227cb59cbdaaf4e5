"""Rows of text put together: wrapped between words, shortened, in ASCII."""

import pytest

from minigpt2.views import frame
from minigpt2.views.frame import fitting, in_ascii, row_of, shorten_path, width_of, wrapped


def test_wrapping_breaks_between_words():
    text = "a warning with an explanation and the remedies that there are"
    for width in range(14, 40):
        rows = ["".join(s.text for s in row) for row in wrapped(text, width, indent=2)]
        assert max(map(len, rows)) <= width
        assert " ".join(" ".join(rows).split()) == text
    long = [row[0].text for row in wrapped("/" + "x" * 50, 20)]
    assert "".join(long) == "/" + "x" * 50


@pytest.mark.parametrize("indent", [0, 2])
@pytest.mark.parametrize("text", ["a longer-word-than-any row", "東京 is a 東京東京東京 word", "/a/path/to"])
def test_wrapping_ends_at_any_width(text, indent):
    """A window that someone makes smaller passes through all of them."""
    for width in range(0, 12):
        rows = ["".join(s.text for s in row) for row in wrapped(text, width, indent=indent)]
        assert "".join("".join(rows).split()) == "".join(text.split())
        assert len(rows) <= len(text)


def test_paths_are_shortened_between_their_parts():
    assert shorten_path("a/b/c.txt", 9) == "a/b/c.txt"
    assert shorten_path("alpha/beta/c.txt", 12) == "…/beta/c.txt"
    assert shorten_path("alpha/beta/c.txt", 8) == "…/c.txt"
    assert shorten_path("alpha/beta/c.txt", 3) == ""
    assert fitting(("long text", "short"), 6) == "short"


def test_ascii_is_ascii_and_as_wide():
    row = row_of("╭─ ★ ✓ → −4 · 東京 ▁▂█")
    ((segment,),) = in_ascii([row])
    assert segment.text.isascii()
    assert len(segment.text) == width_of(row)
    ((quoted,),) = in_ascii([row_of("‘the’ “cat” qᵀ")])
    assert quoted.text == "'the' \"cat\" qT"


def test_wrapping_a_very_long_word_takes_linear_time(monkeypatch):
    measured = []
    cell_len = frame.cell_len
    monkeypatch.setattr(frame, "cell_len", lambda text: measured.append(len(text)) or cell_len(text))
    word = "‹1b›[31m" * 4000
    rows = wrapped(word, 80, indent=2)
    assert "".join(segment.text.strip() for row in rows for segment in row) == word
    assert sum(measured) <= 10 * len(word)
