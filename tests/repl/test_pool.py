"""`/pool`: four vectors out of the same rows, and a conversation that goes on with another one."""

import dataclasses

import naive
import numpy as np
import pytest
from inside import SENTENCE, ask, cached, check_drawings, cosine, drawn, encoder_of, nano, refused, session_of

from minigpt2.backend import to_numpy
from minigpt2.encoder import Encoder
from minigpt2.layers.pooling import POOLINGS
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.repl.exchange import run_line

TEXTS = ("cats purr", "dogs bark loud", "a car")
PROMPT = {"prompts": {"q": "to:"}, "default_prompt_name": "q"}


def with_pooling(encoder, kind):
    settings = dataclasses.replace(encoder.settings, pooling=kind)
    return Encoder(encoder.model, encoder.tokenizer, settings, encoder.backend)


def vectors_by_loop(encoder, text):
    """(4, D) of length 1: each pooling as a loop over the rows of the forward pass"""
    hidden, _ = cached(encoder, text)
    rows = to_numpy(hidden).tolist()
    pooled = [np.array(naive.pooling(rows, [len(rows)], kind, 0)[0]) for kind in POOLINGS]
    return np.array([vector / np.linalg.norm(vector) for vector in pooled])


def test_the_four_vectors_and_their_cosines(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder, *TEXTS), "/pool").data
    vectors = vectors_by_loop(encoder, TEXTS[-1])
    np.testing.assert_allclose(list(data["vectors"].values()), vectors, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(data["cosines"], vectors @ vectors.T, rtol=1e-9, atol=1e-12)
    assert data["poolings"] == list(data["vectors"]) == list(POOLINGS)


def test_the_nearest_sentence_by_each(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder, *TEXTS), "/pool").data
    assert data["compared_with"] == 2
    for kind, found in data["nearest"].items():
        a, b, current = with_pooling(encoder, kind).encode(list(TEXTS))
        cosines = [cosine(a, current), cosine(b, current)]
        assert found["number"] == int(np.argmax(cosines)) + 1
        assert found["text"] == TEXTS[found["number"] - 1]
        assert found["cosine"] == pytest.approx(max(cosines), rel=1e-9)


def test_the_weights_of_the_tokens():
    encoder = encoder_of()
    weights = ask(session_of(encoder, "abcd"), "/pool").data["weights"]
    assert weights["mean"] == [0.25] * 4
    np.testing.assert_allclose(weights["weighted_mean"], [0.1, 0.2, 0.3, 0.4])
    assert weights["last"] == [0, 0, 0, 1]
    rows = cached(encoder, "abcd")[0]
    won = [sum(rows[:, d].argmax() == t for d in range(rows.shape[1])) / rows.shape[1] for t in range(4)]
    np.testing.assert_allclose(weights["max"], won)


@pytest.mark.parametrize("include", [True, False])
def test_a_prompt_counts_as_the_model_says(include):
    encoder = encoder_of(**PROMPT, include_prompt=include)
    data = ask(session_of(encoder, *TEXTS), "/pool").data
    assert data["tokens"] == list("to:" + TEXTS[-1])
    for kind in POOLINGS:
        assert sum(data["weights"][kind]) == pytest.approx(1.0)
        assert (sum(data["weights"][kind][:3]) == 0.0) is (not include or kind == "last")
        expected = with_pooling(encoder, kind).encode(TEXTS[-1])
        np.testing.assert_allclose(data["vectors"][kind], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [("max", "max"), ("weighted", "weighted_mean"), ("LAST", "last"), ("weighted_mean",) * 2],
)
def test_the_conversation_goes_on_with_another_pooling(typed, kind):
    encoder = encoder_of()
    session = session_of(encoder, *TEXTS)
    before = session.vectors.copy()
    data = ask(session, f"/pool {typed}").data
    assert (data["pooling"], data["was"], data["changed"]) == (kind, "mean", True)
    assert session.encoder.settings.pooling == kind
    expected = with_pooling(encoder, kind).encode(list(TEXTS))
    np.testing.assert_allclose(session.vectors, expected, rtol=1e-6)
    assert encoder.settings.pooling == "mean"
    assert len(data["moved"]) == 3
    run_line(session, "/undo")
    assert session.encoder is encoder
    np.testing.assert_array_equal(session.vectors, before)


def test_the_pooling_in_use_is_nothing_to_undo():
    session = session_of(encoder_of(), *TEXTS)
    assert "already" in drawn(ask(session, "/pool mean"))
    assert session.undos == []


def test_the_ranges_of_quantized_vectors_do_not_outlive_their_pooling():
    session = session_of(nano(), SENTENCE)
    assert nano().settings.calibration is not None
    run_line(session, "/pool max")
    assert session.encoder.settings.calibration is None


@pytest.mark.parametrize("line", ["/pool", "/pool max", "/pool weighted"])
def test_it_draws_everywhere(line):
    check_drawings(ask(session_of(nano(), "A dog barks.", "Cats purr.", SENTENCE), line))


def test_a_single_sentence_has_no_neighbour():
    session = session_of(nano(), SENTENCE)
    assert ask(session, "/pool").data["nearest"] == {}
    assert "more sentences" in drawn(ask(session, "/pool"))


def test_what_does_not_fit_is_refused():
    session = session_of(encoder_of(), *TEXTS)
    assert "use one of mean, weighted_mean, last, max" in refused(session, "/pool median")
    assert "one name" in refused(session, "/pool mean max")
    assert "type a sentence" in refused(session_of(encoder_of()), "/pool")


def test_a_text_that_went_with_the_prompt_has_no_weights():
    """Left out of the pooling, a prompt that ends in a space takes the only word along."""
    settings = {"prompts": {"q": "a sentence: "}, "default_prompt_name": "q", "include_prompt": False}
    encoder = Encoder(nano().model, nano().tokenizer, EmbeddingSettings(**settings), nano().backend)
    reply = ask(session_of(encoder, "dogs bark", "cat"), "/pool")
    assert not np.any(list(reply.data["weights"].values()))
    check_drawings(reply)
