import contextlib
import copy
import dataclasses
import itertools
import os
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import naive
import numpy as np
import pytest
from arrays import assert_close
from hypothesis import given
from hypothesis import strategies as st
from models import random_model
from safetensors.numpy import load_file, save_file

import minigpt2
from minigpt2.backend import choose_backend, to_numpy
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder, TruncationWarning, batches_by_length
from minigpt2.errors import DataError, ModelError, UsageError
from minigpt2.half_products import half_products
from minigpt2.layers import POOLINGS
from minigpt2.model_directory import EmbeddingSettings
from minigpt2.tokenizer import ByteTokenizer


@pytest.fixture
def fused():
    """For tests of the plan itself, also where MINIGPT2_KERNELS=explicit runs all others as written."""
    with minigpt2.use_kernels("fused"):
        yield


CONFIG = GPT2Config(vocab_size=258, n_positions=24, n_embd=12, n_layer=2, n_head=3, n_inner=20)
D = CONFIG.D
TEXTS = ["a cat sleeps", "", "x", "the market fell", "naïve 東京 🙂", "a cat", "x"]


def encoder_of(xp=np, dtype="float32", **settings):
    model = random_model(CONFIG, xp, dtype, scale=0.3)
    backend = choose_backend(xp, dtype=dtype)
    return Encoder(model, ByteTokenizer(), EmbeddingSettings(**settings), backend)


def expected_vectors(encoder, texts, prompt=""):
    """(B, D) by the loops: the prompt's and the text's bytes, cut at the window, pooled, normalised"""
    parameters = {
        name: to_numpy(view).astype(float).tolist() for name, view in encoder.model.parameters.items()
    }
    settings, limit = encoder.settings, encoder.max_seq_length
    skipped = 0 if settings.include_prompt else len(prompt.encode())
    vectors = []
    for text in texts:
        sentence = list((prompt + text).encode())[:limit] if text else []
        rows = naive.hidden_states([sentence], parameters, CONFIG.L, CONFIG.H)[-1][skipped:]
        pooled = naive.pooling(rows, [len(rows)], settings.pooling, skipped) if rows else [[0.0] * D]
        vectors += naive.normalize(pooled) if settings.normalize else pooled
    return np.array(vectors)


# Shapes and values


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_vectors_equal_the_loops(pooling, normalize, xp):
    encoder = encoder_of(xp, "float64", pooling=pooling, normalize=normalize)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors = encoder.encode(TEXTS)
    assert_close(vectors, expected_vectors(encoder, TEXTS), 1e-11)


def test_one_string_gives_one_vector_and_a_list_a_matrix(xp):
    encoder = encoder_of(xp)
    one, many = encoder.encode("a cat"), encoder.encode(["a cat", "x"])
    assert (one.shape, one.dtype) == ((D,), np.float32)
    assert (many.shape, many.dtype) == ((2, D), np.float32)
    assert type(one) is type(many) is np.ndarray
    assert_close(one, many[0], 1e-6)
    for sequence in (("a cat", "x"), np.array(["a cat", "x"]), iter(["a cat", "x"])):
        assert_close(encoder.encode(sequence), many, 0.0)
    assert encoder.encode(["a cat"]).shape == (1, D)


def test_an_empty_list_gives_no_rows(xp):
    encoder = encoder_of(xp)
    vectors = encoder.encode([])
    assert (vectors.shape, vectors.dtype) == ((0, D), np.float32)
    assert encoder.encode([], truncate_dim=5).shape == (0, 5)
    assert encoder.encode([], precision="ubinary").shape == (0, 2)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("normalize", [True, False])
def test_an_empty_text_gives_the_zero_vector_and_no_nan(pooling, normalize, xp):
    encoder = encoder_of(xp, pooling=pooling, normalize=normalize)
    assert encoder.encode("").tolist() == [0.0] * D
    vectors = encoder.encode(["", "x", ""])
    assert not vectors[[0, 2]].any()
    assert vectors[1].any()
    assert np.isfinite(vectors).all()
    assert encoder.encode("", truncate_dim=3).tolist() == [0.0] * 3
    assert not encoder_of(xp, prompts={"q": "query: "}, default_prompt_name="q").encode("").any()


def test_normalize_embeddings_overrides_the_models_own_setting(xp):
    for setting in (True, False):
        encoder = encoder_of(xp, normalize=setting)
        lengths = {
            choice: np.linalg.norm(encoder.encode(TEXTS, normalize_embeddings=choice), axis=1)
            for choice in (None, True, False)
        }
        has_text = np.array([bool(text) for text in TEXTS])
        assert_close(lengths[True], has_text.astype(float), 1e-6)
        assert (np.abs(lengths[False][has_text] - 1) > 1e-3).all()
        np.testing.assert_array_equal(lengths[None], lengths[setting])


def test_truncated_dimensions_are_normalised_anew(xp):
    encoder = encoder_of(xp)
    whole = encoder.encode(TEXTS, normalize_embeddings=False)
    short = encoder.encode(TEXTS, truncate_dim=5)
    assert short.shape == (len(TEXTS), 5)
    assert_close(short, naive.normalize(whole[:, :5].tolist()), 1e-6)
    assert_close(encoder.encode(TEXTS, truncate_dim=5, normalize_embeddings=False), whole[:, :5], 1e-6)
    assert_close(encoder.encode(TEXTS, truncate_dim=D), encoder.encode(TEXTS), 0.0)


def test_vectors_can_stay_where_they_were_computed(xp):
    encoder = encoder_of(xp)
    there = encoder.encode(TEXTS, convert_to_numpy=False)
    assert type(there) is xp.ndarray
    assert type(encoder.encode("x", convert_to_numpy=False)) is xp.ndarray
    assert_close(there, encoder.encode(TEXTS), 0.0)


def test_float64_all_the_way(xp):
    assert encoder_of(xp, "float64").encode(TEXTS).dtype == np.float64


# What else is in the list does not matter


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_text_has_one_vector_alone_in_any_batch_and_in_any_order(pooling, xp):
    encoder = encoder_of(xp, pooling=pooling)
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("abc de"), rng.integers(0, 24))) for _ in range(40)]
    alone = np.array([encoder.encode(text) for text in texts])
    order = rng.permutation(40)
    assert_close(encoder.encode(texts), alone, 1e-6)
    assert_close(encoder.encode([texts[i] for i in order]), alone[order], 1e-6)
    for batch_size, batch_tokens in ((1, None), (3, None), (40, 1), (7, 30), (1000, 10**6)):
        vectors = encoder.encode(texts, batch_size=batch_size, batch_tokens=batch_tokens)
        assert_close(vectors, alone, 1e-6)


def test_threads_share_an_encoder_without_harm(rng):
    encoder = encoder_of()
    texts = ["".join(map(chr, rng.integers(97, 123, T))) for T in rng.integers(1, 18, 200)]
    expected = encoder.encode(texts)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(lambda _: encoder.encode(texts, batch_size=7), range(32)):
            assert_close(vectors, expected, 1e-6)


def test_batch_limits_reach_the_model(monkeypatch):
    encoder = encoder_of()
    seen = []
    forward = encoder.model.forward

    def watched(batch):
        seen.append((batch.B, batch.N))
        return forward(batch)

    monkeypatch.setattr(encoder.model, "forward", watched)
    texts = ["abcd"] * 10 + ["ab"] * 10
    with minigpt2.use_kernels("explicit"):
        encoder.encode(texts, batch_size=6)
        assert [B for B, _ in seen] == [6, 6, 6, 2]
        seen.clear()
        encoder.encode(texts, batch_tokens=12)
    assert all(N <= 12 for _, N in seen)
    assert sum(N for _, N in seen) == 60


def test_batch_limits_reach_the_plan(monkeypatch, fused):
    encoder = encoder_of()
    seen = []

    def watched(chunk, *rest):
        seen.append((len(chunk.sentences), len(chunk.ids)))
        return run_chunk(chunk, *rest)

    run_chunk = minigpt2.inference.run_chunk
    monkeypatch.setattr(minigpt2.inference, "run_chunk", watched)
    texts = [f"{first}bcd" for first in "abcdefghij"] + [f"{first}b" for first in "klmnopqrst"]
    encoder.encode(texts, batch_size=6)
    assert sorted(B for B, _ in seen) == [2, 6, 6, 6]
    seen.clear()
    encoder.encode(texts, batch_tokens=12)
    assert all(N <= 12 for _, N in seen)
    assert sum(N for _, N in seen) == 60


# The inference plan follows the model


@pytest.mark.parametrize("mode", ["explicit", "fused"])
def test_a_token_that_the_model_has_no_row_for(mode):
    encoder = Encoder(random_model(CONFIG.replace(vocab_size=120), np, np.float32), ByteTokenizer())
    message = "token id 122 at position 1 of sentence 2 is outside the vocabulary (0 to 119)"
    with minigpt2.use_kernels(mode), pytest.raises(DataError, match=re.escape(message)):
        encoder.encode(["abc", "", "wz"])


def test_half_products_are_rounded_in_encode_too():
    encoder = encoder_of()
    exact = encoder.encode(TEXTS)
    with half_products("bfloat16", allow_cpu=True):
        rounded = encoder.encode(TEXTS)
        with minigpt2.use_kernels("explicit"):
            np.testing.assert_array_equal(rounded, encoder.encode(TEXTS))
    assert np.abs(rounded - exact).max() > 1e-4


def test_copies_of_a_loaded_encoder_have_a_model_each(tmp_path):
    encoder_of().save(tmp_path / "model")
    encoder = minigpt2.load(tmp_path / "model")
    other = copy.copy(encoder)
    first = encoder.model
    np.testing.assert_array_equal(other.model.parameters.flat, first.parameters.flat)
    np.testing.assert_array_equal(other.encode(TEXTS), encoder.encode(TEXTS))


def test_a_model_loaded_for_the_layers_is_not_folded(tmp_path):
    encoder_of().save(tmp_path / "model")
    with minigpt2.use_kernels("explicit"):
        encoder = minigpt2.load(tmp_path / "model")
        vectors = encoder.encode(TEXTS)
    assert encoder._plan is None
    assert_close(encoder.encode(TEXTS), vectors, 3e-6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_processes_read_the_weights_at_the_same_time(tmp_path):
    """They share the open file, and with it the place where a plain read goes on."""
    config = CONFIG.replace(n_embd=96, n_inner=999, n_layer=4)
    model = random_model(config, np, "float32")
    Encoder(model, ByteTokenizer()).save(tmp_path / "model")
    encoder = minigpt2.load(tmp_path / "model")
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            same = False
            with contextlib.suppress(Exception):
                same = all(
                    np.array_equal(copy.copy(encoder).model.parameters.flat, model.parameters.flat)
                    for _ in range(20)
                )
            os._exit(0 if same else 1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files are counted in /proc")
def test_files_are_closed_without_a_warning(tmp_path):
    """Used up, in a cycle, interrupted by an error, and open at the end of the program."""
    encoder_of().save(tmp_path / "model")
    program = """if True:
        import gc, os, sys, minigpt2
        from minigpt2.checkpoint import StoredParameters
        def files():
            names = (os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd"))
            return sum(name.endswith(".safetensors") for name in names)
        encoder = minigpt2.load(sys.argv[1])
        encoder.encode(["a", "a cat"])
        encoder.model
        print(files())
        encoder.encode("a")
        print(files())
        cycle = [minigpt2.load(sys.argv[1])]
        cycle[0].cycle = cycle
        del cycle
        gc.collect()
        try:
            StoredParameters(None, encoder.config)
        except TypeError:
            print(files())
        kept = minigpt2.load(sys.argv[1])
    """
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program, tmp_path / "model"]
    env = os.environ | {"MINIGPT2_KERNELS": "fused"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    assert result.stderr == ""
    table_of_plan = "1"  # mapped until the plan is made anew
    assert result.stdout.split() == [table_of_plan, "0", "0"]


def test_a_head_of_its_own_is_refused(tmp_path):
    path = encoder_of().save(tmp_path / "model") / "model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"lm_head.weight": tensors["wte.weight"].copy()}, path)
    assert_close(minigpt2.load(tmp_path / "model").encode(TEXTS), encoder_of().encode(TEXTS), 1e-6)
    save_file(tensors | {"lm_head.weight": 2 * tensors["wte.weight"]}, path)
    with pytest.raises(ModelError, match="an untied head cannot be loaded"):
        minigpt2.load(tmp_path / "model")


def test_what_is_damaged_is_reported_as_such(tmp_path):
    """A token embedding that is not finite, with an output head that is the same numbers."""
    path = encoder_of().save(tmp_path / "model") / "model.safetensors"
    tensors = load_file(path)
    tensors["wte.weight"][3, 4] = np.nan
    save_file(tensors | {"lm_head.weight": tensors["wte.weight"].copy()}, path)
    with pytest.raises(ModelError, match=r"'wte\.weight' has 1 of"):
        minigpt2.load(tmp_path / "model")


def test_kernels_and_layers_give_the_same_vectors():
    for settings in ({}, {"pooling": "max"}, {"pooling": "last", "normalize": False}):
        encoder = encoder_of(**settings)
        fast = encoder.encode(TEXTS)
        with minigpt2.use_kernels("explicit"):
            assert_close(fast, encoder.encode(TEXTS), 3e-6)


@pytest.mark.parametrize("name", ["wte.weight", "wpe.weight", "h.1.mlp.c_fc.weight", "ln_f.bias"])
def test_a_parameter_that_is_changed_in_place_changes_the_vectors(name):
    encoder = encoder_of()
    before = encoder.encode("a cat")
    encoder.model.parameters[name][...] *= -0.5
    after = encoder.encode("a cat")
    assert np.abs(after - before).max() > 1e-3
    with minigpt2.use_kernels("explicit"):
        assert_close(after, encoder.encode("a cat"), 3e-6)


def test_a_loaded_model_may_be_changed_too(tmp_path, fused):
    encoder_of().save(tmp_path / "model")
    encoder = minigpt2.load(tmp_path / "model")
    before = encoder.encode(TEXTS)
    assert encoder._model is None, "encode alone needs no model"
    assert_close(before, encoder_of().encode(TEXTS), 1e-6)
    encoder.model.parameters["h.0.attn.c_proj.weight"][...] = 0.0
    after = encoder.encode(TEXTS)
    assert np.abs(after - before).max() > 1e-3
    with minigpt2.use_kernels("explicit"):
        assert_close(after, encoder.encode(TEXTS), 3e-6)


def test_another_model_may_be_put_in_its_place(tmp_path):
    encoder_of().save(tmp_path / "model")
    encoder = minigpt2.load(tmp_path / "model")
    other = Encoder(random_model(CONFIG, np, "float32", seed=5, scale=0.3), ByteTokenizer())
    encoder.model = other.model
    assert_close(encoder.encode(TEXTS), other.encode(TEXTS), 1e-6)


def test_a_loaded_model_outlives_its_files(tmp_path):
    encoder_of().save(tmp_path / "model")
    expected = encoder_of().encode(TEXTS)
    encoder = minigpt2.load(tmp_path / "model")
    other = random_model(CONFIG, np, "float32", seed=5)
    Encoder(other, ByteTokenizer()).save(tmp_path / "model", overwrite=True)
    assert_close(encoder.encode(TEXTS), expected, 1e-6)
    assert_close(encoder.model.parameters.flat, encoder_of().model.parameters.flat, 0.0)
    assert_close(encoder.encode(TEXTS), expected, 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ids_give_the_vectors_of_their_text(dtype, xp):
    encoder = encoder_of(xp, dtype)
    ids = [list(text.encode()) for text in TEXTS]
    assert_close(encoder.encode_ids(ids), encoder.encode(TEXTS), 1e-6)
    assert encoder.encode_ids([]).shape == (0, D)
    assert not encoder.encode_ids([[]]).any()
    whole = encoder.encode_ids(ids, normalize_embeddings=False)
    assert_close(whole, encoder.encode(TEXTS, normalize_embeddings=False), 1e-6)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[1, 258]], "token id 258 at position 1 of sentence 0 is outside the vocabulary"),
        ([[1], [-1]], "token id -1 in sentence 1 is negative"),
        ([[1] * 25], "sentence 0 has 25 tokens, but the model's window is 24"),
        ([[0.5]], "sentence 0 is not a flat sequence of whole token ids"),
    ],
)
def test_ids_that_the_model_has_no_row_for(ids, message):
    with pytest.raises(DataError, match=re.escape(message)):
        encoder_of().encode_ids(ids)


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 8), st.integers(1, 60))
def test_batches_hold_every_text_once_longest_first_within_both_limits(lengths, batch_size, batch_tokens):
    batches = list(batches_by_length(lengths, batch_size, batch_tokens))
    order = [i for batch in batches for i in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[i] for i in order] == sorted(lengths, reverse=True)
    for batch in batches:
        assert 1 <= len(batch) <= batch_size
        assert len(batch) == 1 or sum(lengths[i] for i in batch) <= batch_tokens
    for batch, following in itertools.pairwise(batches):
        tokens = sum(lengths[i] for i in batch) + lengths[following[0]]
        assert len(batch) == batch_size or tokens > batch_tokens, "a batch was closed before it was full"


# The window


def test_long_texts_are_cut_counted_and_reported_once(xp):
    encoder = encoder_of(xp, "float64")
    texts = ["b" * 24, "a" * 25, "short", "é" * 40]
    with pytest.warns(TruncationWarning) as caught:
        vectors = encoder.encode(texts)
    assert [str(warning.message) for warning in caught] == [
        "2 of 4 texts were cut at 24 tokens, the model's window"
    ]
    assert caught[0].filename == __file__, "the warning points at the caller's line"
    assert encoder.truncated == 2
    assert_close(vectors, expected_vectors(encoder, texts), 1e-11)
    assert_close(vectors[1], encoder.encode("a" * 24), 1e-12)
    assert encoder.truncated == 0, "the count is that of the last call"
    with pytest.warns(TruncationWarning, match="1 of 1 texts was cut at 24 tokens"):
        encoder.encode("a" * 100)


def test_a_shorter_max_seq_length_is_kept_to(xp):
    encoder = encoder_of(xp, "float64", max_seq_length=5)
    assert encoder.max_seq_length == 5
    with pytest.warns(TruncationWarning, match="1 of 2 texts was cut at 5 tokens"):
        vectors = encoder.encode(["abcdefgh", "abcde"])
    assert_close(vectors[0], vectors[1], 1e-12)
    assert encoder_of(xp).max_seq_length == CONFIG.n_positions


# Prompts


@pytest.mark.parametrize("include_prompt", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_prompt_is_read_first_and_pooled_only_if_the_model_says_so(include_prompt, pooling, xp):
    encoder = encoder_of(xp, "float64", pooling=pooling, include_prompt=include_prompt)
    vectors = encoder.encode(TEXTS[:4], prompt="ask: ")
    assert_close(vectors, expected_vectors(encoder, TEXTS[:4], "ask: "), 1e-11)
    assert np.abs(vectors[0] - encoder.encode(TEXTS[0])).max() > 1e-3


def test_prompts_by_name_by_default_and_directly():
    prompts = {"query": "q: ", "document": "d: "}
    encoder = encoder_of(prompts=prompts)
    plain, query, document = (encoder.encode("x", prompt=prompt) for prompt in ("", "q: ", "d: "))
    assert_close(encoder.encode("x"), plain, 0.0)
    assert_close(encoder.encode("x", prompt_name="query"), query, 0.0)
    assert_close(encoder.encode_query("x"), query, 0.0)
    assert_close(encoder.encode_document(["x"])[0], document, 0.0)
    assert_close(encoder.encode_query("x", prompt="d: "), document, 0.0)
    assert_close(encoder.encode_query("x", prompt_name="document"), document, 0.0)
    by_default = encoder_of(prompts=prompts, default_prompt_name="document")
    assert_close(by_default.encode("x"), document, 0.0)
    assert_close(by_default.encode("x", prompt=""), plain, 0.0)
    assert_close(by_default.encode_query("x"), query, 0.0)


def test_without_prompts_queries_and_documents_are_plain_texts():
    encoder = encoder_of()
    assert_close(encoder.encode_query("x"), encoder.encode("x"), 0.0)
    assert_close(encoder.encode_document("x"), encoder.encode("x"), 0.0)


def test_prompts_that_make_no_sense():
    encoder = encoder_of(prompts={"query": "q: "})
    with pytest.raises(UsageError, match=r"no prompt called 'title' \(it has: query\)"):
        encoder.encode("x", prompt_name="title")
    with pytest.raises(UsageError, match=r"no prompt called 'query' \(it has: none\)"):
        encoder_of().encode("x", prompt_name="query")
    with pytest.raises(UsageError, match="give prompt or prompt_name, not both"):
        encoder.encode("x", prompt="q: ", prompt_name="query")
    with pytest.raises(DataError, match="the prompt alone has 24 tokens, the window 24: shorten it"):
        encoder.encode("x", prompt="p" * 24)


def test_the_prompt_counts_towards_the_window():
    encoder = encoder_of()
    with pytest.warns(TruncationWarning, match="1 of 2 texts was cut"):
        encoder.encode(["a" * 19, "a" * 20], prompt="ask: ")


# Precisions


def calibrated(xp, dtype="float64"):
    encoder = encoder_of(xp, dtype)
    rng = np.random.default_rng(1)
    encoder.calibrate(["".join(rng.choice(list("abcdef "), rng.integers(1, 20))) for _ in range(200)])
    return encoder


def test_calibration_is_the_range_that_holds_the_share_asked_for():
    encoder = encoder_of(dtype="float64")
    texts = [f"{i} text number {i * i}" for i in range(300)]
    vectors = encoder.encode(texts)
    encoder.calibrate(texts, coverage=0.9)
    low, high = encoder.settings.calibration
    assert encoder.settings.calibration.shape == (2, D)
    assert encoder.settings.calibration.dtype == np.float32
    outside = ((vectors < low) | (vectors > high)).mean(axis=0)
    assert_close(outside, np.full(D, 0.1), 0.02)
    encoder.calibrate(texts, coverage=1.0)
    assert_close(encoder.settings.calibration, [vectors.min(axis=0), vectors.max(axis=0)], 1e-6)


def test_uint8_and_int8_equal_the_straightforward_formula(xp):
    encoder = calibrated(xp)
    vectors = encoder.encode(TEXTS)
    low, high = encoder.settings.calibration.astype(float)
    expected = np.empty(vectors.shape, int)
    for b in range(len(TEXTS)):
        for d in range(D):
            level = int(np.floor((vectors[b, d] - low[d]) / (high[d] - low[d]) * 255))
            expected[b, d] = min(max(level, 0), 255)
    unsigned, signed = (encoder.encode(TEXTS, precision=p) for p in ("uint8", "int8"))
    assert (unsigned.dtype, signed.dtype) == (np.uint8, np.int8)
    # A value on the edge of a step may fall to either side.
    assert np.abs(unsigned.astype(int) - expected).max() <= 1
    assert (unsigned.astype(int) == expected).mean() > 0.95
    np.testing.assert_array_equal(signed.astype(int), unsigned.astype(int) - 128)
    assert encoder.encode("x", precision="int8").shape == (D,)


def test_values_outside_the_calibrated_range_are_clipped_and_do_not_wrap(xp):
    encoder = encoder_of(xp)
    vectors = encoder.encode(TEXTS)
    tight = np.array([np.full(D, -1e-3), np.full(D, 1e-3)], np.float32)
    encoder.settings = dataclasses.replace(encoder.settings, calibration=tight)
    unsigned = encoder.encode(TEXTS, precision="uint8")
    assert (unsigned[vectors > 1e-3] == 255).all()
    assert (unsigned[vectors < -1e-3] == 0).all()
    signed = encoder.encode(TEXTS, precision="int8")
    assert (signed[vectors > 1e-3] == 127).all()
    assert (signed[vectors < -1e-3] == -128).all()


def test_a_dimension_that_never_varied_does_not_divide_by_zero(xp):
    encoder = encoder_of(xp)
    flat = np.zeros((2, D), np.float32)
    encoder.settings = dataclasses.replace(encoder.settings, calibration=flat)
    assert encoder.encode(TEXTS, precision="uint8").dtype == np.uint8


def test_int8_keeps_the_similarities(xp):
    encoder = calibrated(xp)
    texts = ["a face", "bad cab", "feed a", "dab", "cafe bead"]
    vectors = encoder.encode(texts)
    low, high = encoder.settings.calibration.astype(float)
    restored = low + (encoder.encode(texts, precision="uint8") + 0.5) * (high - low) / 255
    assert_close(restored @ restored.T, vectors @ vectors.T, 0.05)


@pytest.mark.parametrize("truncate_dim", [None, 10, 8, 3])
def test_binary_precisions_pack_the_signs(truncate_dim, xp):
    encoder = encoder_of(xp)
    vectors = encoder.encode(TEXTS, truncate_dim=truncate_dim)
    width = truncate_dim or D
    packed = encoder.encode(TEXTS, precision="ubinary", truncate_dim=truncate_dim)
    assert (packed.shape, packed.dtype) == ((len(TEXTS), -(-width // 8)), np.uint8)
    for b in range(len(TEXTS)):
        bits = "".join("1" if value > 0 else "0" for value in vectors[b]).ljust(8 * packed.shape[1], "0")
        expected = [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]
        assert packed[b].tolist() == expected
    signed = encoder.encode(TEXTS, precision="binary", truncate_dim=truncate_dim)
    assert signed.dtype == np.int8
    np.testing.assert_array_equal(signed.astype(int), packed.astype(int) - 128)
    assert encoder.encode("x", precision="ubinary").shape == (2,)


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_without_calibration_bytes_are_refused_with_what_to_do(precision):
    with pytest.raises(UsageError, match=rf"^precision '{precision}' needs .*: call encoder\.calibrate"):
        encoder_of().encode("x", precision=precision)


def test_calibrated_bytes_need_vectors_of_the_calibrated_length(xp):
    encoder = calibrated(xp)
    assert encoder.encode("a", precision="int8", normalize_embeddings=True).dtype == np.int8
    with pytest.raises(UsageError, match="'int8' is calibrated for vectors as the model gives them"):
        encoder.encode("a", precision="int8", normalize_embeddings=False)


def test_calibrated_bytes_need_whole_vectors(xp):
    encoder = calibrated(xp)
    with pytest.raises(UsageError, match="calibrated for whole vectors: drop truncate_dim"):
        encoder.encode("x", precision="int8", truncate_dim=5)
    np.testing.assert_array_equal(
        encoder.encode("x", precision="int8", truncate_dim=D), encoder.encode("x", precision="int8")
    )


def test_too_few_texts_to_calibrate_on():
    with pytest.raises(UsageError, match="99 texts are too few to calibrate on: give at least 100"):
        encoder_of().calibrate(["x"] * 99)


@pytest.mark.parametrize("coverage", [0.0, -0.1, 1.1, float("nan")])
def test_a_coverage_that_is_no_share_is_refused(coverage):
    with pytest.raises(UsageError, match="coverage"):
        encoder_of().calibrate(["x"] * 100, coverage=coverage)


# Wrong arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sentences": ["a", 3]}, "text 1 is a int, not a string"),
        ({"sentences": [None]}, "text 0 is a NoneType, not a string"),
        ({"sentences": [["a"]]}, "text 0 is a list, not a string"),
        ({"sentences": [b"a"]}, "text 0 is a bytes, not a string"),
        ({"sentences": None}, "give one string or a list of strings, not a NoneType"),
        ({"sentences": 3}, "give one string or a list of strings, not a int"),
        ({"sentences": b"abc"}, "give one string or a list of strings, not a bytes"),
        ({"sentences": {"a": 1}}, "give one string or a list of strings, not a dict"),
        (
            {"precision": "float16"},
            "unknown precision 'float16': use one of float32, int8, uint8, binary, ubinary",
        ),
        ({"truncate_dim": 0}, "truncate_dim must lie between 1 and 12, not 0"),
        ({"truncate_dim": 13}, "truncate_dim must lie between 1 and 12, not 13"),
        ({"truncate_dim": 2.5}, "truncate_dim must lie between 1 and 12, not 2.5"),
        ({"truncate_dim": True}, "truncate_dim must lie between 1 and 12, not True"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        ({"batch_size": None}, "batch_size must be a whole number of at least 1, not None"),
        ({"batch_size": float("nan")}, "batch_size must be a whole number of at least 1, not nan"),
        ({"batch_tokens": 0}, "batch_tokens must be a whole number of at least 1, not 0"),
        ({"batch_tokens": "9"}, "batch_tokens must be a whole number of at least 1, not '9'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        encoder_of().encode(**{"sentences": ["x"], **arguments})


def test_a_misspelt_option_is_not_swallowed():
    for method in ("encode", "encode_query", "encode_document"):
        with pytest.raises(TypeError, match="normalise"):
            getattr(encoder_of(), method)("x", normalise=True)


# Progress


def test_no_bar_where_stderr_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert encoder_of().encode(["x"] * 9, batch_size=1).shape == (9, D)


def test_the_progress_bar_goes_to_stderr_alone(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    encoder_of().encode(["a cat"] * 9, batch_size=1, show_progress_bar=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "embedding" in captured.err
    assert "9/9" in captured.err


@pytest.mark.parametrize(
    ("show", "terminal", "batches", "shown"),
    [
        (None, False, 20, False),
        (None, True, 20, True),
        (None, True, 2, False),
        (False, True, 20, False),
        (True, True, 1, True),
    ],
)
def test_the_bar_appears_for_long_runs_on_a_terminal(show, terminal, batches, shown, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    encoder_of().encode(["x"] * batches, batch_size=1, show_progress_bar=show)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("embedding" in captured.err) == shown
    assert shown or captured.err == ""


# Similarity, saving, loading


def test_similarities_are_cosines(xp):
    encoder = encoder_of(xp, "float64", normalize=False)
    a, b = (
        encoder.encode(TEXTS[2:5], convert_to_numpy=False),
        encoder.encode(TEXTS[3:6], convert_to_numpy=False),
    )
    unit_a, unit_b = (np.array(naive.normalize(to_numpy(x).tolist())) for x in (a, b))
    assert_close(encoder.similarity(a, b), unit_a @ unit_b.T, 1e-12)
    assert_close(encoder.similarity_pairwise(a, b), (unit_a * unit_b).sum(axis=1), 1e-12)


def test_what_is_saved_and_loaded_gives_the_same_vectors(tmp_path, xp):
    encoder = encoder_of(
        xp,
        pooling="weighted_mean",
        normalize=False,
        max_seq_length=22,
        prompts={"query": "q: ", "document": "d: "},
        default_prompt_name="document",
    )
    encoder.calibrate([f"text {i}" for i in range(100)])
    path = encoder.save(tmp_path / "model")
    loaded = minigpt2.load(path, xp=xp)
    assert loaded.settings == encoder.settings
    assert loaded.path == path
    assert loaded.backend.xp is xp
    assert loaded.model.config == encoder.model.config
    for options in ({}, {"prompt_name": "query"}, {"precision": "int8"}, {"precision": "ubinary"}):
        assert_close(loaded.encode(TEXTS, **options), encoder.encode(TEXTS, **options), 0.0)
    double = minigpt2.load(str(path), xp=xp, dtype="float64")
    assert double.encode("x").dtype == np.float64
    assert_close(double.encode(TEXTS), encoder.encode(TEXTS), 1e-4)


def test_saving_over_a_model_needs_permission(tmp_path):
    encoder = encoder_of()
    encoder.save(tmp_path / "model")
    with pytest.raises(UsageError):
        encoder.save(tmp_path / "model")
    encoder.save(tmp_path / "model", overwrite=True)


def test_a_model_without_a_tokenizer_is_no_encoder(tmp_path):
    path = encoder_of().save(tmp_path / "model")
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        (path / name).unlink(missing_ok=True)
    with pytest.raises(ModelError, match=r"no tokenizer \(tokenizer\.json, or vocab\.json"):
        minigpt2.load(path)


def test_an_encoder_built_in_memory_takes_the_backend_of_its_parameters(xp):
    encoder = Encoder(random_model(CONFIG, xp, np.float64), ByteTokenizer())
    assert encoder.backend.xp is xp
    assert encoder.backend.dtype == np.float64
    assert isinstance(encoder.encode(["a", "b"], convert_to_numpy=False), xp.ndarray)
    assert encoder.settings.pooling == "mean"
    assert encoder.dimension == D
    assert repr(encoder) == f"Encoder(in memory, D=12, L=2, H=3, pooling=mean, {xp.__name__} float64)"


# What encode reads


def test_token_ids_are_those_that_encode_runs_the_model_on(xp):
    encoder = encoder_of(xp, max_seq_length=6, prompts={"q": "to:"}, default_prompt_name="q")
    with pytest.warns(TruncationWarning, match="1 of 3 texts was cut at 6 tokens"):
        ids, prompt_length = encoder.token_ids(["a cat", "", "x"])
    assert ids == [list(b"to:a c"), [], list(b"to:x")]
    assert prompt_length == 3
    assert encoder.token_ids(["x"], prompt="") == ([list(b"x")], 0)
    assert encoder.token_ids([]) == ([], 3)
    with pytest.raises(DataError, match="the prompt alone has 6 tokens"):
        encoder.token_ids(["x"], prompt="search")
