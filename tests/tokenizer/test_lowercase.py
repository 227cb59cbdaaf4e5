"""Lower-casing character by character."""

import pytest

from minigpt2.tokenizer.lowercase import lower


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("HELLO World 1", "hello world 1"),
        ("ÀÉÎ Привет ԱԲ", "àéî привет աբ"),
        ("ΟΔΟΣ Σ", "οδοσ σ"),  # no final sigma, where str.lower gives ς
        ("ΟΔΟς", "οδος"),
        ("İI", "i\u0307i"),
        ("ẞß", "ßß"),
        ("ⅣǄǅ", "ⅳǆǆ"),
        ("𐐀", "𐐨"),
        ("\ua7cb\ua7dc\U00010d50\U00016eb8", "\u0264\u019b\U00010d70\U00016ed3"),  # of Unicode 16 and 17
    ],
)
def test_lower(text, expected):
    assert lower(text) == expected


def test_differs_from_str_lower_only_where_it_says():
    mixed = "AΣB ÇΣ. ÉÈ"
    assert lower(mixed).replace("σ", "ς") == mixed.lower().replace("σ", "ς")
    assert lower(mixed) != mixed.lower()
