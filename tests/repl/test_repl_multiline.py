"""Texts of several lines."""

import pytest

from minigpt2.repl.multiline import Multiline


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["a"], "a"),
        ([""], ""),
        (["a \\", "b"], "a b"),
        (["a\\", "\\", "b"], "ab"),
        (["a\\\\"], "a\\\\"),
        (["a\\\\\\", "b"], "a\\\\b"),
        (['"""', "a", "", "b", '"""'], "a\n\nb"),
        (['"""a', 'b"""'], "a\nb"),
        (['"""a"""'], "a"),
        (['/sim """', "a", '""" | b'], "/sim a | b"),
        (['/sim """a', "b", '"""|"""', "c", "d", '"""'], "/sim a\nb|c\nd"),
        (['"""', "a\\", '"""'], "a\\"),
        (['"""', '"""'], ""),
        (['x"""a""" \\', "b"], "xa b"),
        (["one\ntwo"], "one\ntwo"),
        (["one\ntwo \\", "three"], "one\ntwo three"),
        (['one\n"""two', 'three"""'], "one\ntwo\nthree"),
    ],
)
def test_lines_become_a_text(lines, text):
    multiline = Multiline()
    for line in lines[:-1]:
        assert multiline.feed(line) is None
        assert multiline.waits
    assert multiline.feed(lines[-1]) == text
    assert not multiline.waits


def test_what_never_ends_can_be_taken_as_it_is():
    multiline = Multiline()
    assert multiline.feed('a """b') is None
    assert multiline.feed("c") is None
    assert multiline.rest() == 'a """b\nc'
    assert not multiline.waits
    assert multiline.feed("d") == "d"
