"""`/sim`: every measure against its formula, which texts are compared, and what is refused."""

import math

import numpy as np
import pytest
from sentence_sessions import SENTENCES, check_drawings, conversation, drawn, nano, say, snapshot, tiny, unit

from minigpt2.errors import UsageError

A, B, C = SENTENCES[:3]


def formulas(a, b):
    """The measures of two vectors (D,), one by one."""
    centred = a - a.mean(), b - b.mean()
    cosine = float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))
    return {
        "cosine": cosine,
        "euclidean": math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True))),
        "manhattan": sum(abs(x - y) for x, y in zip(a, b, strict=True)),
        "dot": sum(x * y for x, y in zip(a, b, strict=True)),
        "pearson": float(centred[0] @ centred[1]) / math.prod(map(np.linalg.norm, centred)),
        "angular": 1.0 - math.acos(cosine) / math.pi,
    }


@pytest.mark.parametrize("normalize", [True, False])
def test_every_measure_is_its_formula_of_vectors_of_length_1(xp, normalize):
    encoder = tiny(xp, normalize=normalize)
    data = say(conversation(encoder), "/sim first text | 2nd | the third one").data
    vectors = unit(encoder.encode(data["texts"]))  # (3, D)
    assert data["texts"] == ["first text", "2nd", "the third one"]
    for pair, vector in zip(data["pairs"], vectors[1:], strict=True):
        expected = formulas(vectors[0], vector)
        assert pair["scores"] == pytest.approx(expected, abs=2e-5)
        for name, score in pair["scores"].items():
            low, high = data["ranges"][name]
            assert low <= score <= high
        assert set(pair["readings"]) == set(expected)


@pytest.mark.parametrize("lines", ["/sim aa | bc", "/sim aa | bc | d", "/matrix --metric dot"])
@pytest.mark.parametrize("normalize", [True, False])
def test_that_lengths_are_left_out_is_said_where_the_model_has_them(normalize, lines):
    session = conversation(tiny(normalize=normalize), ["aa", "bc"])
    text = " ".join(drawn(say(session, lines)).split())
    assert ("so dot is the cosine" in text) is not normalize


def test_the_words_follow_the_cosine():
    data = say(conversation(), f"/sim {A} | {A}. | {C}").data
    assert data["pairs"][0]["scores"]["cosine"] > 0.8
    assert set(data["pairs"][0]["readings"].values()) == {"nearly the same meaning"}
    assert set(data["pairs"][1]["readings"].values()) == {"unrelated"}


def test_numbers_and_the_current_sentence_stand_for_texts():
    session = conversation(lines=[A, B])
    before = snapshot(session)
    assert say(session, "/sim #1 | #2").data["texts"] == [A, B]
    assert say(session, f"/sim {C}").data["texts"] == [B, C]
    assert say(session, "/similarity #1").data["texts"] == [B, A]
    assert say(session, r"/sim a\|b | #1").data["texts"] == ["a|b", A]
    assert snapshot(session) == before


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/sim", "compares 2 to 50"),
        ("/sim alone", "compares 2 to 50"),
        ("/sim a |", "text 2 of 2 is empty"),
        ("/sim | a", "text 1 of 2 is empty"),
        ("/sim a | #3", "no sentence is numbered #3"),
        ("/sim " + " | ".join("abc" * 17), "compares 2 to 50"),
    ],
)
def test_what_is_refused(line, message):
    with pytest.raises(UsageError, match=message):
        say(conversation(tiny()), line)


def test_drawings():
    long = "犬 " * 70 + "\x1b[2J" + "x" * 100_000
    pair = say(conversation(), f"/sim {A} | {B}")
    check_drawings(pair, widths=(20, 40, 80, 200))
    for measure in ("cosine", "euclidean", "manhattan", "dot", "pearson", "angular"):
        assert measure in drawn(pair)
    cosine = float(nano().encode(A) @ nano().encode(B))
    assert f"{cosine:.4f}" in drawn(pair)
    several = say(conversation(), f"/sim {A} | {B} | {long} | {C}")
    check_drawings(several, widths=(20, 40, 80, 200))
    assert "D: The stock market" in drawn(several)
    assert "… (100,144 characters)" in drawn(say(conversation(tiny()), f"/sim {long} | b"))
    wide = say(conversation(width=200), f"/sim {A} | {B}")
    assert "1 same direction, 0.5 unrelated, 0 opposite" in drawn(wide, 200)


def test_a_zero_vector_has_no_words():
    encoder = tiny()
    encoder.model.parameters.flat[:] = 0.0
    data = say(conversation(encoder), "/sim a | b").data
    assert set(data["pairs"][0]["readings"].values()) == {"a zero vector has no direction"}
