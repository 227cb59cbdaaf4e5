"""Cutting into words: the ASCII pattern against the one of Unicode."""

import subprocess
import sys

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from minigpt2.tokenizer.split import SPLIT_PATTERN, split_words

by_unicode = regex.compile(SPLIT_PATTERN).findall

ASCII = [chr(code) for code in range(128)]


def test_every_ascii_character_beside_every_other():
    # What comes after a character decides of a blank, of an apostrophe and of a run of white space.
    for first in ASCII:
        for second in ASCII:
            for text in (
                f"a{first}{second}b",
                f" {first}{second}",
                f"1 {first} {second}\n",
                f"'{first}{second}",
            ):
                assert split_words(text) == by_unicode(text), ascii(text)


@settings(max_examples=400)
@given(st.text(alphabet=st.sampled_from([*"'''srevmldST", *"  \t\n\r\v\f\x1c\x1f\x85", *"aZ09._", *ASCII])))
def test_both_patterns_agree_on_ascii(text):
    assert split_words(text) == by_unicode(text)


@given(st.text())
def test_words_joined_are_the_text(text):
    assert "".join(split_words(text)) == text


def test_regex_is_loaded_for_other_text_only():
    script = (
        "import sys; from minigpt2.tokenizer.split import split_words; split_words('It is low.')\n"
        "assert 'regex' not in sys.modules; split_words('É'); assert 'regex' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
