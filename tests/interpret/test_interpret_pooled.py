import naive
import numpy as np
import pytest
from arrays import assert_close
from encoders import CONFIG, SETTINGS, encoder_of, ids_of, pooled_by_loop

from minigpt2.backend import asarray, to_numpy
from minigpt2.gradcheck import check_gradient
from minigpt2.interpret import layer_vectors, look, pooled, pooled_backward, poolings, read
from minigpt2.layers import POOLINGS
from minigpt2.ragged import TokenBatch

TEXTS = ["a cat", "x", "sleeps well", "dog", "b"]

every_setting = pytest.mark.parametrize("name", SETTINGS)


@every_setting
@pytest.mark.parametrize("kind", [None, *POOLINGS])
def test_pooled_equals_the_loop(name, kind, xp, rng):
    encoder = encoder_of(xp, **SETTINGS[name])
    _, batch = read(encoder, TEXTS)
    x = rng.standard_normal((batch.N, CONFIG.D))
    vectors, _ = pooled(encoder, asarray(x, xp), batch, kind)
    sentences = [ids_of(encoder, text) for text in TEXTS]
    assert_close(vectors, pooled_by_loop(encoder, x, sentences, kind), 1e-13)


@every_setting
@pytest.mark.parametrize("kind", POOLINGS)
def test_the_gradient_of_pooled(name, kind, xp, rng):
    encoder = encoder_of(xp, **SETTINGS[name])
    _, batch = read(encoder, TEXTS)
    x = asarray(rng.standard_normal((batch.N, CONFIG.D)), xp)
    check_gradient(
        "pooled",
        lambda x: pooled(encoder, x, batch, kind),
        lambda dy, ctx: pooled_backward(dy, ctx),
        {"x": x},
    )


def test_a_sentence_shorter_than_a_prompt_that_is_left_out_gives_zeros(xp):
    encoder = encoder_of(xp, **SETTINGS["prompt left out"])  # a prompt of 3 tokens
    batch = TokenBatch([[1, 2], [], [1, 2, 3, 4]], xp)
    x = xp.ones((6, CONFIG.D))
    vectors, ctx = pooled(encoder, x, batch)
    assert to_numpy(vectors).sum(axis=1).tolist() == [0.0, 0.0, CONFIG.D]
    dx = to_numpy(pooled_backward(vectors, ctx))
    assert dx.sum(axis=1).tolist() == [0.0] * 5 + [CONFIG.D]


@every_setting
def test_the_last_layer_vector_is_what_encode_gives(name, xp):
    encoder = encoder_of(xp, "float32", **SETTINGS[name])
    _, batch = read(encoder, TEXTS)
    vectors = layer_vectors(encoder, batch, normalized=encoder.settings.normalize)
    assert vectors.shape == (CONFIG.L + 1, len(TEXTS), CONFIG.D)
    assert_close(vectors[-1], encoder.encode(TEXTS), 1e-6)


@every_setting
@pytest.mark.parametrize("normalized", [True, False])
def test_layer_vectors_equal_the_loops(name, normalized, xp):
    encoder = encoder_of(xp, **SETTINGS[name])
    _, batch = read(encoder, TEXTS)
    sentences = [ids_of(encoder, text) for text in TEXTS]
    parameters = {key: to_numpy(view).tolist() for key, view in encoder.model.parameters.items()}
    states = naive.hidden_states(sentences, parameters, CONFIG.L, CONFIG.H)
    del states[-2]  # the last block's output before the last layernorm
    vectors = layer_vectors(encoder, batch, normalized=normalized)
    for of_layer, state in zip(vectors, states, strict=True):
        expected = pooled_by_loop(encoder, np.array(state), sentences)
        assert_close(of_layer, naive.normalize(expected) if normalized else expected, 1e-11)


def test_an_empty_sentence_stays_zero_in_every_layer(xp):
    encoder = encoder_of(xp)
    vectors = to_numpy(layer_vectors(encoder, TokenBatch([[3, 1], []], xp)))
    assert not vectors[:, 1].any()
    assert_close(np.linalg.norm(vectors[:, 0], axis=1), np.ones(CONFIG.L + 1), 1e-12)


@every_setting
def test_every_pooling_of_one_text(name, xp):
    encoder = encoder_of(xp, **SETTINGS[name])
    vectors = poolings(look(encoder, "a cat"))
    assert list(vectors) == list(POOLINGS)
    for kind, vector in vectors.items():
        other = encoder_of(xp, **{**SETTINGS[name], "pooling": kind, "normalize": True})
        assert vector.shape == (CONFIG.D,)
        assert_close(vector, other.encode("a cat"), 1e-12)
