"""`/logits`: softmax over the whole vocabulary, and no more claimed than the loss allows."""

import dataclasses
import math

import numpy as np
import pytest
from inside import (
    CONFIG,
    SENTENCE,
    ask,
    cached,
    check_drawings,
    drawn,
    encoder_of,
    ids_of,
    nano,
    refused,
    session_of,
)

from minigpt2.backend import to_numpy
from minigpt2.ragged import TokenBatch
from minigpt2.repl.commands.logits import reading

TEXT = "cats purr"


def probabilities_of(encoder, text):
    """(T, V): by the formula, row by row"""
    hidden = to_numpy(cached(encoder, text)[0]).astype(np.float64)
    scores = hidden @ to_numpy(encoder.model.parameters["wte.weight"]).astype(np.float64).T
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def test_the_best_guesses(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder, TEXT), "/logits --k 5").data
    expected = probabilities_of(encoder, TEXT)[-1]
    order = np.argsort(-expected)[:5]
    assert [guess["id"] for guess in data["next"]] == order.tolist()
    np.testing.assert_allclose([guess["probability"] for guess in data["next"]], expected[order], rtol=1e-9)


def test_the_loss_is_the_models_own(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder, TEXT), "/logits").data
    loss, _ = encoder.model.loss(TokenBatch([ids_of(encoder, TEXT)], xp))
    assert data["loss"] == pytest.approx(float(loss), rel=1e-9)
    assert data["loss"] == pytest.approx(np.mean(data["surprise"]))
    assert data["ln_v"] == pytest.approx(math.log(CONFIG.V))


def test_after_every_token_what_came(xp):
    encoder = encoder_of(xp)
    came = ask(session_of(encoder, TEXT), "/logits --all").data["came"]
    expected, ids = probabilities_of(encoder, TEXT), ids_of(encoder, TEXT)
    assert len(came) == len(ids) - 1
    for t, one in enumerate(came):
        p = expected[t, ids[t + 1]]
        assert one["probability"] == pytest.approx(p, rel=1e-9)
        assert one["rank"] == 1 + sum(other > p for other in expected[t])
        assert (one["after"], one["token"]) == (TEXT[t], TEXT[t + 1])
        best = bytes([int(expected[t].argmax())])
        assert one["best"] == (best.decode() if best.isascii() else f"‹{best.hex()}›")


def test_more_guesses_than_tokens_is_all_of_them():
    data = ask(session_of(encoder_of(), TEXT), "/logits --k 9999").data
    assert sorted(guess["id"] for guess in data["next"]) == list(range(CONFIG.V))
    assert sum(guess["probability"] for guess in data["next"]) == pytest.approx(1.0)


def test_the_bundled_model_does_not_pretend():
    text = " ".join(drawn(ask(session_of(nano(), SENTENCE), "/logits")).split())
    assert "has not been trained to guess" in text
    assert "ln V = 9.70" in text


@pytest.mark.parametrize(
    ("loss", "says"),
    [(2.0, "has learned to guess: on average as if among 7 tokens"), (8.5, "little better than blind")],
)
def test_other_heads_are_judged_by_their_loss(loss, says):
    assert says in reading({"loss": loss, "ln_v": math.log(16384), "causal": True}, 16384)


def test_a_head_that_has_seen_what_came_is_not_judged():
    config = dataclasses.replace(CONFIG, attention="bidirectional")
    reply = ask(session_of(encoder_of(config=config), TEXT), "/logits")
    assert reply.data["causal"] is False
    text = " ".join(drawn(reply).split())
    assert f"{reply.data['loss']:.2f} nats a token" in text
    assert "does not tell what the head has learned" in text
    assert "learned to guess" not in text


def test_one_token_has_guesses_but_no_loss():
    data = ask(session_of(nano()), "/logits cat").data
    assert data["loss"] is None
    assert len(data["next"]) == 10
    assert ask(session_of(nano()), "/logits --all cat").data["came"] == []


@pytest.mark.parametrize("line", ["/logits", "/logits --all", "/logits --k 3 --all x", "/logits cat"])
def test_it_draws_everywhere(line):
    check_drawings(ask(session_of(nano(), SENTENCE), line))


def test_probabilities_are_drawn_in_percent():
    reply = ask(session_of(nano(), SENTENCE), "/logits --all")
    text = drawn(reply)
    best = 100 * reply.data["next"][0]["probability"]
    assert f" {best:.4f}" in text
    assert "probability, %" in text
    assert any(str(one["rank"]) in line for one in reply.data["came"][:1] for line in text.splitlines())


def test_what_does_not_fit_is_refused():
    session = session_of(encoder_of(), TEXT)
    assert "at least 1" in refused(session, "/logits --k 0 a cat")
    assert "no option '--best'" in refused(session, "/logits --best a cat")
    assert "type a sentence" in refused(session_of(encoder_of()), "/logits")
