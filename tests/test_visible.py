"""Texts and tokens as a person may see them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt2.visible import visible, visible_bytes


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain text, ünïcödé 東京 😀", "plain text, ünïcödé 東京 😀"),
        ("a\x1b[2Jb", "a‹1b›[2Jb"),
        ("\t\r\n", "‹09›‹0d›‹0a›"),
        ("a\u202eb\u200bc", "a‹e2 80 ae›b‹e2 80 8b›c"),
        ("\udc80", "‹ed b2 80›"),
        ("", ""),
    ],
)
def test_what_acts_or_hides_is_shown_as_its_bytes(text, seen):
    assert visible(text) == seen


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_nothing_visible_is_a_control_or_format_character(text):
    assert not {unicodedata.category(c) for c in visible(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        (b" low", "␣low"),
        ("東".encode(), "東"),
        (b"\xe6\x9d", "‹e6 9d›"),
        (b" \n", "␣‹0a›"),
        ("\u202e ".encode(), "‹e2 80 ae›␣"),
        (b"", ""),
    ],
)
def test_a_token_shows_its_blanks_and_its_incomplete_bytes(token, seen):
    assert visible_bytes(token) == seen
