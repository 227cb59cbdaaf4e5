"""`/layers`: every layer's vector, pooled by the layers themselves."""

import itertools

import numpy as np
import pytest
from inside import (
    CONFIG,
    SENTENCE,
    ask,
    check_drawings,
    cosine,
    drawn,
    encoder_of,
    layers_of,
    nano,
    refused,
    session_of,
)

from minigpt2.repl.commands.layers import UNRELATED

A, B = "cats purr", "dogs bark loud"


@pytest.mark.parametrize("pooling", ["mean", "weighted_mean", "last", "max"])
def test_one_sentence_by_the_layers_called_directly(xp, pooling):
    encoder = encoder_of(xp, pooling=pooling)
    data = ask(session_of(encoder, A), "/layers").data
    vectors = layers_of(encoder, A)  # L+1 × (D,)
    assert data["layers"] == ["embeddings", "layer 0", "layer 1", "layer 2", "layer 3 + ln_f"]
    np.testing.assert_allclose(data["norms"][0], [np.linalg.norm(vector) for vector in vectors], rtol=1e-9)
    before = [cosine(one, other) for one, other in itertools.pairwise(vectors)]
    assert data["cosine_before"][0][0] is None
    np.testing.assert_allclose(data["cosine_before"][0][1:], before, rtol=1e-9)
    last = [cosine(vector, vectors[-1]) for vector in vectors]
    np.testing.assert_allclose(data["cosine_last"][0], last, rtol=1e-9)


def test_two_sentences_layer_by_layer(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder), f"/layers {A} | {B}").data
    expected = [cosine(a, b) for a, b in zip(layers_of(encoder, A), layers_of(encoder, B), strict=True)]
    np.testing.assert_allclose(data["similarity"], expected, rtol=1e-9)
    assert len(expected) == CONFIG.L + 1
    assert data["texts"] == [A, B]


def test_the_last_similarity_is_that_of_encode():
    data = ask(session_of(nano()), "/layers The cat is sleeping | A feline is resting").data
    a, b = nano().encode(data["texts"])
    assert data["similarity"][-1] == pytest.approx(float(a @ b), abs=1e-6)


def test_unrelated_is_the_mean_cosine_of_all_pairs():
    encoder = nano()
    unrelated = ask(session_of(encoder, SENTENCE), "/layers").data["unrelated"]
    vectors = [layers_of(encoder, text) for text in UNRELATED]
    for layer, value in enumerate(unrelated):
        pairs = itertools.combinations([of_text[layer] for of_text in vectors], 2)
        assert value == pytest.approx(np.mean([cosine(a, b) for a, b in pairs]), abs=1e-5)


def test_a_sentence_does_not_depend_on_the_other():
    session = session_of(nano())
    alone = ask(session, f"/layers {A}").data["norms"][0]
    both = ask(session, f"/layers {A} | {B}").data["norms"][0]
    np.testing.assert_allclose(alone, both, rtol=1e-5)


@pytest.mark.parametrize("line", ["/layers", "/layers x", f"/layers {A} | {B}", f"/layers {A} | {A}"])
def test_it_draws_everywhere(line):
    check_drawings(ask(session_of(nano(), SENTENCE), line))


def test_a_narrow_cone_is_said():
    text = check_drawings(ask(session_of(nano(), SENTENCE), "/layers"))
    assert "narrow cone (anisotropy)" in " ".join(text.split())
    assert "At the embeddings" in text


def test_what_does_not_fit_is_refused():
    session = session_of(encoder_of(), A)
    assert "one sentence or two" in refused(session, "/layers a | b | c")
    assert "empty" in refused(session, "/layers a |")
    assert "#5" in refused(session, "/layers #1 | #5")
    assert "type a sentence" in refused(session_of(encoder_of()), "/layers")


def test_the_difference_is_what_lies_above_unrelated_sentences():
    reply = ask(session_of(nano()), "/layers The cat is sleeping | A feline is resting")
    margins = np.subtract(reply.data["similarity"], reply.data["unrelated"])  # (L+1,)
    assert margins[-1] > 0.05
    text = drawn(reply, 200)
    rows = [row.split() for row in text.splitlines() if row.startswith(("embeddings", "layer "))]
    shown = [float(row[{"embeddings": 3, "layer": 4}[row[0]] + 2 * ("ln_f" in row)]) for row in rows]
    np.testing.assert_allclose(shown, margins, atol=1e-4)
    assert f"{margins[-1]:.2f} above unrelated sentences" in " ".join(text.split())
