import math

import numpy as np
import pytest
from arrays import assert_close
from encoders import CONFIG, SETTINGS, embedding_rows, encoder_of, ids_of, vectors_from

from minigpt2.backend import to_numpy
from minigpt2.encoder import TruncationWarning
from minigpt2.errors import DataError
from minigpt2.interpret import similarity_gradient

PAIRS = [("a cat", "the dog"), ("x", "y"), ("same", "size"), ("b", "a longer one")]

every_setting = pytest.mark.parametrize("name", SETTINGS)


def cosine_from(encoder, x, a, b):
    """The cosine as a function of the embedding rows x_0 (N, D)"""
    u, v = vectors_from(encoder, x, [ids_of(encoder, a), ids_of(encoder, b)])
    return float(u @ v / math.sqrt((u @ u) * (v @ v)))


def slope(encoder, x, direction, a, b, h=1e-3):
    """The derivative along a direction: two central differences, combined so that the error is O(h⁴)"""

    def central(h):
        up, down = (cosine_from(encoder, x + sign * h * direction, a, b) for sign in (1, -1))
        return (up - down) / (2 * h)

    return (4 * central(h / 2) - central(h)) / 3


@every_setting
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_gradient_is_the_finite_difference_along_random_directions(a, b, name, xp, rng):
    encoder = encoder_of(xp, **SETTINGS[name])
    result = similarity_gradient(encoder, a, b)
    x = embedding_rows(encoder, [result.look_a.ids, result.look_b.ids])
    gradient = to_numpy(result.gradient)
    assert gradient.shape == x.shape
    assert result.similarity == pytest.approx(cosine_from(encoder, x, a, b), abs=1e-12)
    for _ in range(3):
        direction = rng.standard_normal(x.shape)
        direction /= np.linalg.norm(direction)
        expected = slope(encoder, x, direction, a, b, 1e-4 if encoder.settings.pooling == "max" else 1e-3)
        assert (gradient * direction).sum() == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["weighted", "prompt left out"])
def test_every_single_entry_of_the_gradient_is_its_finite_difference(name, xp):
    a, b = "cat", "a dog"
    encoder = encoder_of(xp, **SETTINGS[name])
    result = similarity_gradient(encoder, a, b)
    x = embedding_rows(encoder, [result.look_a.ids, result.look_b.ids])
    expected = np.empty_like(x)
    for n, d in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[n, d] = 1.0
        up, down = (cosine_from(encoder, x + sign * 1e-5 * step, a, b) for sign in (1, -1))
        expected[n, d] = (up - down) / 2e-5
    assert np.abs(expected).max() > 0.01
    assert_close(result.gradient, expected, 1e-8)


@every_setting
def test_scores_are_gradient_times_input_and_those_of_each_text_are_told_apart(name, xp):
    encoder = encoder_of(xp, **SETTINGS[name])
    result = similarity_gradient(encoder, "a cat", "dog")
    x = embedding_rows(encoder, [ids_of(encoder, "a cat"), ids_of(encoder, "dog")])
    expected = (to_numpy(result.gradient) * x).sum(axis=1)
    T = len(ids_of(encoder, "a cat"))
    assert_close(result.scores, expected, 1e-13)
    assert_close(result.scores_a, expected[:T], 1e-13)
    assert_close(result.scores_b, expected[T:], 1e-13)
    assert result.look_a.tokens == [chr(id) for id in ids_of(encoder, "a cat")]
    assert result.look_b.tokens == [chr(id) for id in ids_of(encoder, "dog")]


@every_setting
def test_the_similarity_is_the_cosine_of_what_encode_gives(name, xp):
    encoder = encoder_of(xp, "float32", **SETTINGS[name])
    u, v = encoder.encode(["a cat", "the dog"], normalize_embeddings=True)
    result = similarity_gradient(encoder, "a cat", "the dog")
    assert isinstance(result.similarity, float)
    assert result.similarity == pytest.approx(float(u @ v), abs=1e-6)
    assert result.gradient.dtype == result.scores.dtype == np.float32


@every_setting
@pytest.mark.parametrize("text", ["a cat", "x"])
def test_equal_sentences_are_as_alike_as_can_be_so_the_gradient_vanishes(text, name, xp):
    result = similarity_gradient(encoder_of(xp, **SETTINGS[name]), text, text)
    assert result.similarity == pytest.approx(1.0, abs=1e-12)
    assert_close(result.gradient, np.zeros((2 * len(result.look_a.ids), CONFIG.D)), 1e-12)


def test_exchanging_the_sentences_exchanges_their_scores(xp):
    encoder = encoder_of(xp)
    there, back = similarity_gradient(encoder, "a cat", "dog"), similarity_gradient(encoder, "dog", "a cat")
    assert_close(there.scores_a, to_numpy(back.scores_b), 1e-13)
    assert_close(there.scores_b, to_numpy(back.scores_a), 1e-13)


def test_of_a_cut_text_only_what_was_read_has_scores(xp):
    encoder, shorter = encoder_of(xp, max_seq_length=5), encoder_of(xp)
    with pytest.warns(TruncationWarning):
        cut = similarity_gradient(encoder, "a cat sleeps", "dog")
    whole = similarity_gradient(shorter, "a cat", "dog")
    assert cut.look_a.tokens == list("a cat")
    assert_close(cut.gradient, to_numpy(whole.gradient), 1e-13)


def test_both_sentences_go_forward_once_and_backward_once(monkeypatch):
    encoder = encoder_of()
    calls = []
    for name in ("forward", "backward_to_embeddings"):
        run = getattr(encoder.model, name)

        def counted(*args, run=run, name=name, **options):
            calls.append(name)
            return run(*args, **options)

        monkeypatch.setattr(encoder.model, name, counted)
    similarity_gradient(encoder, "a cat", "the dog")
    assert calls == ["forward", "backward_to_embeddings"]


@pytest.mark.parametrize(("a", "b"), [("", "x"), ("x", "")])
def test_a_text_without_tokens_is_refused(a, b):
    with pytest.raises(DataError, match="an empty text has no tokens"):
        similarity_gradient(encoder_of(), a, b)
