"""Cutting a text into words before merging, as GPT-2 does (Radford et al. 2019, `encoder.py`).

    "It's 3 cats!"  ->  "It" "'s" " 3" " cats" "!"

What counts as a letter is decided by the Unicode tables of the `regex` package; a library with older tables
splits at characters that are newer than those. Of the 128 ASCII characters it is known for good, so a text of
those alone is cut by Python's own `re`, at twice the speed and without loading `regex`.
"""

import functools
import re
from collections.abc import Callable

# A contraction's ending; letters, digits or other signs, each with the blank before them; a run of white
# space that leaves its last blank to the next word; any other white space.
SPLIT_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

# The same where \p{L} is A-Z, a-z and \p{N} is 0-9. With re.ASCII, \s is the ASCII part of Unicode's white
# space; without it, Python adds the separators 0x1c to 0x1f, which are none.
ASCII_SPLIT_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"

_split_ascii = re.compile(ASCII_SPLIT_PATTERN, re.ASCII).findall


def split_words(text: str) -> list[str]:
    """The words of a text, each with the blank before it; joined they are the text."""
    return _split_ascii(text) if text.isascii() else _split_unicode()(text)


@functools.cache
def _split_unicode() -> Callable[[str], list[str]]:
    import regex

    return regex.compile(SPLIT_PATTERN).findall
