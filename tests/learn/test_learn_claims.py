"""Numbers in a text, and the claims that they are tied to."""

import numpy as np
import pytest

from minigpt2.errors import UsageError
from minigpt2.learn.claims import (
    claim,
    claims,
    disagreements,
    forget_claims,
    numbers_in,
    ties_of,
    untied,
    value_of,
    without_comments,
)


@pytest.fixture(autouse=True)
def nothing_claimed():
    forget_claims()
    yield
    forget_claims()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It has 12 tokens, 1.33 a word.", ["12", "1.33"]),
        ("−0.5 and -3e-5 and 2.", ["−0.5", "-3e-5", "2"]),
        ("15 600 pairs, 1,234 words, 1,2 3", ["15 600", "1,234", "1", "2", "3"]),
        ("2.6x faster, 3× as long, 99 % and 5%", ["2.6", "3", "99", "5"]),
        ("from 0–1, (8) or 1/3", ["0", "1", "8", "1", "3"]),
        ("GPT-2, UTF-8, 2-D, L2, h.0, 3rd, word2vec, 12-layer", []),
        ("`x = 3` and ``\n\n    indented 4\n\n```\nfenced 5\n```\n", []),
        ("1. first\n2. second\n  3. third", []),
        ("lessons 10\nand 14, section\n3", []),
        ("shape (12, 256) and (7,), but (12 or 256)", ["12", "256"]),
        ("lesson 05, lessons 3 and 4, section 3.2.2, equation 7, § 2.2, arXiv:1508.07909", []),
        ("[a link](https://a.b/3) to https://a.b/c/4", []),
        ("# 05 · A title\n\nBeginner · 25 minutes\n\n6", ["6"]),
        ("5 <!-- claims: 5 = five; 6 = six -->", ["5"]),
    ],
)
def test_numbers_in(text, numbers):
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("There are 3 <!-- claims: 3 = things -->", 0),
        ("There are 3 <!-- given: 3 -->", 0),
        ("In 2016 there were <!-- given: -->", 0),
        ("Of 2000 <!-- given: 2000 -->", 0),
        ("Of 20000 <!-- given: -->", 1),
        ("Of 1999.5", 1),
        ("There are 3", 1),
        ("There are 3 and 4 <!-- claims: 3 = things -->", 1),
        ("There are three <!-- claims: 3 = things -->", 1),
        ("There are three <!-- given: 3 -->", 1),
        ("Much faster <!-- claims: 'faster' = speed > 2 -->", 0),
        ("Much\nfaster <!-- claims: 'Much faster' = speed > 2 -->", 0),
        ("Slow <!-- claims: 'faster' = speed > 2 -->", 1),
        ("There are 3 <!-- claims: 3 things -->", 1),
        ("There are 3 <!-- claims: 'three' = things -->", 1),
        ("There are 3 <!-- claims: 3 = things > 2 -->", 1),
    ],
)
def test_untied(text, problems):
    assert len(untied(text)) == problems


@pytest.mark.parametrize(
    ("entry", "value", "agrees"),
    [
        ("12 = x", 12, True),
        ("12 = x", 12.4, True),
        ("12 = x", 12.6, False),
        ("12 = x", 13, False),
        ("1.33 = x", 1.3349, True),
        ("1.33 = x", 1.336, False),
        ("1.30 = x", 1.33, False),
        ("−0.5 = x", -0.52, True),
        ("−0.5 = x", 0.52, False),
        ("3.2e-5 = x", 3.24e-5, True),
        ("3.2e-5 = x", 3.3e-5, False),
        ("15 600 = x", 15600, True),
        ("15 600 = x", 15601, False),
        ("1,234 = x", 1234, True),
        ("10 = x ±20%", 12, True),
        ("10 = x ±20%", 12.1, False),
        ("0.3 = x ±0.02", 0.319, True),
        ("0.3 = x ±0.02", 0.33, False),
        ("'more' = x > 2", 2.1, True),
        ("'more' = x > 2", 2, False),
        ("'less' = x <= -0.5", -0.5, True),
        ("'all six' = x == 6", 5, False),
    ],
)
def test_disagreements(entry, value, agrees, capsys):
    claim("x", value)
    found = disagreements(f"more less all six <!-- claims: {entry} -->", claims())
    assert bool(found) is not agrees
    if found:
        assert entry.partition(" = ")[0].strip("'") in found[0]


def test_a_number_must_be_claimed_above(capsys):
    assert "no cell above" in disagreements("3 <!-- claims: 3 = x -->", claims())[0]


def test_several_comments_and_lines():
    text = "1 2 3 <!-- claims: 1 = a;\n  2 = b c --> and <!-- note: 4 --> <!-- claims: 3 = d, e -->"
    assert [(tie.written, tie.name) for tie in ties_of(text)] == [("1", "a"), ("2", "b c"), ("3", "d, e")]
    assert untied(text) == []
    assert without_comments("1 <!-- a\nb -->\n") == "1"


def test_claim_prints_and_remembers(capsys):
    claim("words", 12)
    claim("mean of words", np.float32(1.3333))
    claim("share", np.array(0.25))
    claim("words", 13)
    assert capsys.readouterr().out == "words = 12\nmean of words = 1.333\nshare = 0.25\nwords = 13\n"
    assert claims() == {"words": 13, "mean of words": pytest.approx(1.3333), "share": 0.25}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "3", None, True, [1], np.zeros(2)])
def test_claim_refuses_what_is_no_number(value):
    with pytest.raises(UsageError):
        claim("x", value)


@pytest.mark.parametrize("name", ["", " x", "a = b", "a; b", "a ±", "it's", 3, "a\nb"])
def test_claim_refuses_names_that_a_comment_cannot_hold(name):
    with pytest.raises(UsageError):
        claim(name, 1)


def test_value_of():
    assert [value_of(text) for text in ("−1,234.5", "15 600", "3e-2")] == [-1234.5, 15600, 0.03]
