"""A sentence that is typed: its data against direct computation, what is kept, and what is drawn."""

import numpy as np
import pytest
from sentence_sessions import (
    SENTENCES,
    WINDOW,
    check_drawings,
    conversation,
    drawn,
    nano,
    say,
    snapshot,
    tiny,
)

from minigpt2.errors import UsageError


def test_what_is_said_of_a_sentence_is_what_the_encoder_computes(xp):
    encoder = tiny(xp)
    data = say(conversation(encoder), "a text").data
    expected = encoder.encode("a text")  # (D,)
    raw = encoder.encode("a text", normalize_embeddings=False)  # (D,)
    np.testing.assert_array_equal(np.float32(data["vector"]), expected)
    assert data["length_before_normalisation"] == pytest.approx(np.linalg.norm(raw), rel=1e-6)
    assert data["ids"] == [ord(c) for c in "a text"]
    assert data["tokens"] == list("a text")
    order = sorted(range(len(expected)), key=lambda i: -abs(expected[i]))
    assert [one["dimension"] for one in data["largest_dimensions"]] == order[:6]
    assert [one["value"] for one in data["largest_dimensions"]] == [float(expected[i]) for i in order[:6]]


def test_a_model_that_does_not_normalise():
    session = conversation(tiny(normalize=False))
    say(session, "a")
    data = say(session, "a text").data
    expected = session.encoder.encode(["a", "a text"])  # (2, D)
    np.testing.assert_array_equal(np.float32(data["vector"]), expected[1])
    assert data["length_before_normalisation"] == pytest.approx(np.linalg.norm(expected[1]), rel=1e-6)
    cosine = expected[0] @ expected[1] / np.prod(np.linalg.norm(expected, axis=1))
    assert data["nearest"][0]["cosine"] == pytest.approx(cosine, abs=1e-6)


def test_the_nearest_are_those_of_a_loop_over_all():
    session = conversation(lines=[*SENTENCES, "a kitten", "shares and bonds", "wet weather"])
    data = say(session, "The cat is sleeping").data
    vectors = nano().encode([s.text for s in session.sentences])  # (M, D)
    cosines = {s.number: float(v @ vectors[0]) for s, v in zip(session.sentences, vectors, strict=True)}
    del cosines[1]  # itself
    expected = sorted(cosines, key=lambda number: -cosines[number])[:5]
    assert [one["number"] for one in data["nearest"]] == expected
    assert [one["cosine"] for one in data["nearest"]] == pytest.approx(
        [cosines[n] for n in expected], abs=1e-6
    )
    assert data["nearest"][0]["text"] == session.sentences[expected[0] - 1].text


def test_a_sentence_is_kept_once_and_becomes_the_current_one():
    session = conversation(lines=SENTENCES[:2])
    assert [s.number for s in session.sentences] == [1, 2]
    assert session.current == SENTENCES[1]
    again = say(session, SENTENCES[0]).data
    assert (again["number"], again["new"]) == (1, False)
    assert len(session.sentences) == len(session.vectors) == 2
    assert session.current == SENTENCES[0]
    np.testing.assert_allclose(session.vectors, nano().encode(list(SENTENCES[:2])), atol=1e-6)


def test_a_number_makes_its_sentence_the_current_one_again():
    session = conversation(lines=SENTENCES[:3])
    reply = say(session, "#1")
    assert (reply.data["number"], reply.data["text"], reply.data["new"]) == (1, SENTENCES[0], False)
    assert session.current == SENTENCES[0]
    assert SENTENCES[0] in drawn(reply)  # the line that was typed does not say it
    assert len(session.sentences) == 3
    assert say(session, "/embed #2").data["number"] == 2
    assert say(session, "/embed").data["number"] == 2
    assert say(session, "#1 in the charts").data["number"] == 4


def test_without_a_text_or_with_an_unknown_number_nothing_changes():
    session = conversation()
    for line in ("/embed", "#1"):
        with pytest.raises(UsageError):
            say(session, line)
    assert snapshot(session) == ([], [], None, 0)
    say(session, "one")
    before = snapshot(session)
    with pytest.raises(UsageError, match=r"no sentence is numbered #7: there are #1 to #1"):
        say(session, "#7")
    assert snapshot(session) == before


def test_a_text_beyond_the_window_says_how_much_was_cut(recwarn):
    session = conversation(tiny())
    text = "ab " * 33 + "c"  # 100 bytes
    reply = say(session, text)
    assert len(reply.data["ids"]) == WINDOW
    assert reply.data["tokens_cut"] == 100 - WINDOW
    np.testing.assert_array_equal(np.float32(reply.data["vector"]), session.encoder.encode(text[:WINDOW]))
    assert "the last 60 of 100 tokens do not fit into the window of 40" in " ".join(drawn(reply).split())
    assert not recwarn.list
    check_drawings(reply)


def test_the_default_prompt_is_part_of_what_is_shown():
    encoder = tiny(prompts={"topic": "on: "}, default_prompt_name="topic")
    data = say(conversation(encoder), "abc").data
    assert "".join(data["tokens"]) == "on: abc"
    np.testing.assert_array_equal(np.float32(data["vector"]), encoder.encode("abc"))


@pytest.mark.parametrize(
    "text",
    [
        "one",
        "\x1b[31mred\x1b[0m ‮ and \u200b hidden",
        "犬が庭で寝ている 🐶👍🏽",
        "x" * 3000,
        "#nothing",
        "don't \"panic",
    ],
)
def test_any_sentence_can_be_drawn(text):
    session = conversation(lines=SENTENCES)
    check_drawings(say(session, text), widths=(20, 40, 80, 200))
    check_drawings(say(session, SENTENCES[0]), widths=(20, 40, 80, 200))


def test_an_interrupted_one_is_not_kept(monkeypatch):
    session = conversation(tiny(), ["one"])
    before = snapshot(session)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("minigpt2.inference.run_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        say(session, "two")
    assert snapshot(session) == before


@pytest.mark.parametrize(
    ("word", "is_one"), [("quit", True), ("EXIT", True), ("?", True), ("help me", False)]
)
def test_a_word_that_is_a_command_is_a_sentence_with_a_hint(word, is_one):
    session = conversation()
    assert ("A command begins with a slash: /" in drawn(say(session, word), 200)) == is_one
    assert session.current == word
