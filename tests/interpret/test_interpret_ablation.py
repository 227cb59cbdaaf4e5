from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from arrays import assert_close
from encoders import CONFIG, SETTINGS, embedding_rows, encoder_of, ids_of, pooled_by_loop

import minigpt2.interpret.ablation
from minigpt2.backend import to_numpy
from minigpt2.encoder import TruncationWarning
from minigpt2.errors import DataError, UsageError
from minigpt2.interpret import ablate_every_head, ablate_head
from minigpt2.layers import attend, gelu, layernorm, linear
from minigpt2.ragged import TokenBatch

TEXTS = ["a cat", "x", "dog", "sleeps"]
H, K, L = CONFIG.H, CONFIG.K, CONFIG.L

every_setting = pytest.mark.parametrize("name", SETTINGS)
causal_or_not = pytest.mark.parametrize("attention", ["causal", "bidirectional"])


def without_head(encoder, texts, layer, head):
    """(B, D) on the host: the model's steps written out, with the head's values dropped before c_proj"""
    config, p, xp = encoder.model.config, encoder.model.parameters, encoder.backend.xp
    sentences = [ids_of(encoder, text) for text in texts]
    batch = TokenBatch(sentences, xp)

    def norm(name, x):
        return layernorm(x, p[f"{name}.weight"], p[f"{name}.bias"], config.layer_norm_epsilon)[0]

    def product(name, x):
        return linear(x, p[f"{name}.weight"], p[f"{name}.bias"])[0]

    x = xp.asarray(embedding_rows(encoder, sentences))
    for i in range(config.L):
        z = attend(product(f"h.{i}.attn.c_attn", norm(f"h.{i}.ln_1", x)), batch, H, config.causal)[0]
        if i == layer:
            z[:, head * K : (head + 1) * K] = 0.0
        x = x + product(f"h.{i}.attn.c_proj", z)
        wide = product(f"h.{i}.mlp.c_fc", norm(f"h.{i}.ln_2", x))
        x = x + product(f"h.{i}.mlp.c_proj", gelu(wide)[0])
    vectors = pooled_by_loop(encoder, norm("ln_f", x), sentences)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if encoder.settings.normalize else vectors


@every_setting
def test_vectors_without_a_head_equal_the_steps_without_its_values(name, xp):
    encoder = encoder_of(xp, **SETTINGS[name])
    whole = encoder.encode(TEXTS)
    for layer, head in np.ndindex(L, H):
        vectors = ablate_head(encoder, TEXTS, layer, head)
        assert vectors.shape == (len(TEXTS), CONFIG.D)
        assert_close(vectors, without_head(encoder, TEXTS, layer, head), 1e-11)
        assert np.abs(to_numpy(vectors) - whole).max() > 1e-4


@every_setting
@causal_or_not
def test_every_head_at_once_equals_head_by_head(name, attention, xp):
    encoder = encoder_of(xp, config=CONFIG.replace(attention=attention), **SETTINGS[name])
    vectors = ablate_every_head(encoder, TEXTS)
    assert vectors.shape == (L, H, len(TEXTS), CONFIG.D)
    for layer, head in np.ndindex(L, H):
        assert_close(vectors[layer, head], to_numpy(ablate_head(encoder, TEXTS, layer, head)), 1e-11)
        assert_close(vectors[layer, head], without_head(encoder, TEXTS, layer, head), 1e-11)


@pytest.mark.parametrize("tokens", [1, 31, 100])
def test_how_many_copies_go_together_makes_no_difference(tokens, monkeypatch, xp):
    encoder = encoder_of(xp)
    expected = to_numpy(ablate_every_head(encoder, TEXTS))
    monkeypatch.setattr(minigpt2.interpret.ablation, "BATCH_TOKENS", {"cpu": tokens, "cuda": tokens})
    assert_close(ablate_every_head(encoder, TEXTS), expected, 1e-12)


def test_a_head_that_adds_nothing_is_not_missed(xp):
    encoder = encoder_of(xp)
    encoder.model.parameters["h.2.attn.c_proj.weight"][K : 2 * K] = 0.0
    assert_close(ablate_head(encoder, TEXTS, 2, 1), encoder.encode(TEXTS), 1e-12)
    assert_close(ablate_every_head(encoder, TEXTS)[2, 1], encoder.encode(TEXTS), 1e-12)


def test_float32_and_one_token(xp):
    encoder = encoder_of(xp, "float32")
    vectors = ablate_every_head(encoder, ["x"])
    assert vectors.dtype == ablate_head(encoder, ["x"], 0, 0).dtype == np.float32
    assert_close(vectors[3, 2], to_numpy(ablate_head(encoder, ["x"], 3, 2)), 1e-6)


def test_no_texts_give_no_vectors(xp):
    encoder = encoder_of(xp)
    assert ablate_head(encoder, [], 0, 0).shape == (0, CONFIG.D)
    assert ablate_every_head(encoder, []).shape == (L, H, 0, CONFIG.D)


def test_the_model_is_the_same_after_it_and_other_threads_never_notice():
    encoder = encoder_of()
    before = encoder.model.parameters.flat.copy()
    encoder.model.parameters.flat.flags.writeable = False
    expected = encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as threads:
        heads = [threads.submit(ablate_head, encoder, TEXTS, i % L, i % H) for i in range(12)]
        wholes = [threads.submit(encoder.encode, TEXTS) for _ in range(12)]
    for i, head in enumerate(heads):
        assert_close(head.result(), without_head(encoder, TEXTS, i % L, i % H), 1e-11)
    for whole in wholes:
        assert_close(whole.result(), expected, 0.0)
    np.testing.assert_array_equal(encoder.model.parameters.flat, before)


def test_a_cut_text_is_ablated_as_far_as_it_is_read(xp):
    with pytest.warns(TruncationWarning):
        cut = ablate_head(encoder_of(xp, max_seq_length=5), ["a cat sleeps"], 1, 2)
    assert_close(cut, to_numpy(ablate_head(encoder_of(xp), ["a cat"], 1, 2)), 1e-12)


def test_a_head_that_is_not_there_and_an_empty_text_are_refused():
    encoder = encoder_of()
    with pytest.raises(UsageError, match="no layer 4: this model has layers 0 to 3"):
        ablate_head(encoder, TEXTS, L, 0)
    with pytest.raises(UsageError, match="no head -1: each layer has heads 0 to 2"):
        ablate_head(encoder, TEXTS, 0, -1)
    for ablate in (
        lambda texts: ablate_head(encoder, texts, 0, 0),
        lambda texts: ablate_every_head(encoder, texts),
    ):
        with pytest.raises(DataError, match="an empty text has no tokens"):
            ablate(["a", ""])
