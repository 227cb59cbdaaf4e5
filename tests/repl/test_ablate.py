"""`/ablate`: against a copy of the model whose head has been cut out."""

import numpy as np
import pytest
from inside import CONFIG, SENTENCE, ask, check_drawings, cosine, drawn, encoder_of, nano, refused, session_of

from minigpt2.encoder import Encoder
from minigpt2.model import GPT2
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.repl.commands.ablate import size_of

A, B = "cats purr", "dogs bark loud"


def without(encoder, layer, head):
    """An encoder whose head is cut: its rows of the output matrix are zero"""
    parameters = encoder.model.parameters.zeros_like()
    parameters.flat[:] = encoder.model.parameters.flat
    K = encoder.model.config.K
    parameters[f"h.{layer}.attn.c_proj.weight"][head * K : (head + 1) * K] = 0.0
    return Encoder(
        GPT2(encoder.model.config, parameters), encoder.tokenizer, encoder.settings, encoder.backend
    )


def test_one_head_of_one_sentence(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder, A), "/ablate 2.1").data
    assert (data["layer"], data["head"], data["texts"]) == (2, 1, [A])
    expected = 1 - cosine(encoder.encode(A), without(encoder, 2, 1).encode(A))
    assert data["moved"] == [pytest.approx(expected, rel=1e-6, abs=1e-12)]
    assert "similarity" not in data


def test_every_head_of_two_sentences(xp):
    encoder = encoder_of(xp)
    data = ask(session_of(encoder), f"/ablate {A} | {B}").data
    a, b = encoder.encode([A, B])
    assert data["similarity"] == pytest.approx(cosine(a, b))
    assert np.array(data["moved"]).shape == (2, CONFIG.L, CONFIG.H)
    for layer in range(CONFIG.L):
        for head in range(CONFIG.H):
            cut_a, cut_b = without(encoder, layer, head).encode([A, B])
            moved = [data["moved"][0][layer][head], data["moved"][1][layer][head]]
            expected = [1 - cosine(a, cut_a), 1 - cosine(b, cut_b)]
            np.testing.assert_allclose(moved, expected, rtol=1e-6, atol=1e-12)
            assert data["without"][layer][head] == pytest.approx(cosine(cut_a, cut_b), rel=1e-6)


def test_one_head_is_an_entry_of_all():
    session = session_of(nano())
    every = ask(session, f"/ablate {A} | {B}").data
    one = ask(session, f"/ablate 0.2 {A} | {B}").data
    assert one["without"] == pytest.approx(every["without"][0][2], abs=1e-5)
    assert one["moved"] == pytest.approx([every["moved"][0][0][2], every["moved"][1][0][2]], abs=1e-5)
    assert one["similarity"] == every["similarity"]


def test_the_model_is_as_before(xp):
    encoder = encoder_of(xp)
    before = encoder.model.parameters.flat.copy()
    session = session_of(encoder, A)
    ask(session, "/ablate")
    ask(session, f"/ablate 3.2 {A} | {B}")
    assert session.encoder is encoder
    assert (encoder.model.parameters.flat == before).all()


def test_a_head_that_adds_nothing_moves_nothing():
    encoder = without(encoder_of(), 1, 2)
    data = ask(session_of(encoder, A), "/ablate").data
    moved = np.array(data["moved"][0])
    assert moved[1, 2] == pytest.approx(0.0, abs=1e-12)
    assert np.delete(moved.ravel(), CONFIG.H + 2).min() > 1e-9


def test_vectors_that_are_not_normalised_are_compared_by_direction():
    a = ask(session_of(encoder_of(), A), "/ablate").data["moved"]
    b = ask(session_of(encoder_of(normalize=False), A), "/ablate").data["moved"]
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_what_stands_in_front_is_a_head_where_it_looks_like_one():
    session = session_of(encoder_of(), A)
    assert ask(session, "/ablate 1.0").data["texts"] == [A]
    assert ask(session, f"/ablate 1.0 {B}").data["texts"] == [B]
    assert ask(session, "/ablate 1.0 #1 | x").data["texts"] == [A, "x"]
    assert ask(session, "/ablate 3 cats").data["texts"] == ["3 cats"]
    assert "head" not in ask(session, "/ablate 3 cats").data


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/ablate 4.0", "no layer 4: the model has 4 layers, counted from 0 to 3"),
        ("/ablate 0.3", "no head 3: each layer has 3 heads, counted from 0 to 2"),
        ("/ablate 3", "LAYER.HEAD"),
        ("/ablate 1.2.3", "LAYER.HEAD"),
        ("/ablate a | b | c", "one sentence or two"),
        ("/ablate 0.1 a |", "empty"),
        ("/ablate #4", "#4"),
    ],
)
def test_what_does_not_fit_is_refused(line, says):
    assert says in refused(session_of(encoder_of(), A), line)


def test_without_a_sentence_it_is_refused():
    assert "type a sentence" in refused(session_of(encoder_of()), "/ablate 0.1")


@pytest.mark.parametrize("line", ["/ablate", "/ablate 3.1", f"/ablate 0.0 {A} | {B}", f"/ablate {A} | {B}"])
def test_it_draws_everywhere(line):
    check_drawings(ask(session_of(nano(), SENTENCE), line))


def test_the_words_follow_the_numbers():
    reply = ask(session_of(nano(), SENTENCE), "/ablate")
    moved = np.array(reply.data["moved"][0])
    layer, head = np.unravel_index(moved.argmax(), moved.shape)
    text = " ".join(drawn(reply).split())
    assert f"Most by {layer}.{head} ({moved.max():.4f})" in text
    assert f"{(moved < 0.01).sum()} of 24 heads" in text


@pytest.mark.parametrize(
    ("moved", "words"),
    [(0.0, "does not notice"), (0.005, "hardly moves"), (0.02, "moves a little"), (0.3, "moves much")],
)
def test_how_far_a_vector_moves_in_words(moved, words):
    assert size_of(moved) == words


def test_whether_a_head_brings_two_sentences_together():
    session = session_of(nano())
    line = "The cat is sleeping | A feline is resting"
    without = np.array(ask(session, f"/ablate {line}").data["without"])
    for at, words in (
        (without.argmin(), "makes the two more alike"),
        (without.argmax(), "tells the two apart"),
    ):
        layer, head = divmod(int(at), 4)
        assert words in " ".join(drawn(ask(session, f"/ablate {layer}.{head} {line}")).split())


def test_the_sign_of_a_change_and_its_words():
    reply = ask(session_of(nano()), "/ablate The cat is sleeping | A feline is resting")
    change = np.array(reply.data["without"]) - reply.data["similarity"]  # (L, H)
    shown = drawn(reply, 200).partition("Change of their similarity")[2].splitlines()
    numbers = [[float(word) for word in row.split()[2:]] for row in shown if row.startswith("layer")]
    np.testing.assert_allclose(numbers, change, atol=6e-4)
    assert np.abs(change).max() > 0.01
    assert "Below 0 the head made the two more alike, above 0 it told them apart." in "\n".join(shown)


def test_a_vector_without_direction_is_not_moved():
    """Left out of the pooling, a prompt that ends in a space takes the only word along."""
    settings = {"prompts": {"q": "a sentence: "}, "default_prompt_name": "q", "include_prompt": False}
    encoder = Encoder(nano().model, nano().tokenizer, EmbeddingSettings(**settings), nano().backend)
    assert not encoder.encode("cat").any()
    data = ask(session_of(encoder, "cat"), "/ablate").data
    assert not np.any(data["moved"])
