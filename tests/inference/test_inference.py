"""The inference plan against the explicit layers: the same vectors, whatever the batch and the threads."""

import itertools
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import random_model
from programs import environment

from minigpt2.checkpoint import StoredParameters, write_checkpoint
from minigpt2.config import GPT2Config
from minigpt2.errors import ModelError
from minigpt2.inference import CHUNK_ROWS, InferencePlan, WeightsPrint, plan, short, workspace
from minigpt2.inference import attention as attention_module
from minigpt2.inference import chunks as chunks_module
from minigpt2.inference.chunks import make_chunks
from minigpt2.inference.folding import carrying
from minigpt2.inference.short import parts_of
from minigpt2.kernels import blas, rows, use_kernels
from minigpt2.layers import POOLINGS, pooling
from minigpt2.ragged import TokenBatch, flat_sentences

ODD = GPT2Config(vocab_size=91, n_positions=300, n_embd=18, n_layer=3, n_head=3, n_inner=50)
EVEN = GPT2Config(vocab_size=91, n_positions=300, n_embd=64, n_layer=2, n_head=4, n_inner=128)

WIDE = GPT2Config(vocab_size=91, n_positions=300, n_embd=192, n_layer=2, n_head=6, n_inner=192)

LENGTHS = {
    "nothing": [],
    "no tokens": [0, 0],
    "one token": [1],
    "scattered": [5, 2, 0, 9, 5, 1, 2, 5, 0],
    "adjacent": [4, 4, 4, 7, 7],
    "long": [3, 129, 300, 128, 257, 40],
    "many": [1 + (7 * b) % 31 for b in range(90)],
    "in parts": [34, 35, 36, 48, 49, 50, 51, 191, 192, 193],
}


def sentences_of(name, config=ODD, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, config.V, T).tolist() for T in LENGTHS[name]]


def alike(sentences):
    """The same sentences, and many more that begin like one of them, among them some that are equal."""
    return [
        (ids[: len(ids) * share // 4] + [7] * more)[:300]
        for ids in sentences
        for share in (4, 3, 4)
        for more in (0, 2)
    ]


def expected(model, sentences, kind="mean", skipped=0):
    """(B, D) in float64 by the explicit layers"""
    exact = random_like(model, np.float64)
    batch = TokenBatch(sentences)
    with use_kernels("explicit"):
        hidden, _ = exact.forward(batch)
    hidden = hidden[batch.positions >= skipped]
    return pooling(hidden, TokenBatch([ids[skipped:] for ids in sentences]), kind, skipped)[0]


def random_like(model, dtype):
    return type(model)(model.config, model.parameters.to(np, dtype))


def vectors_of(inference, sentences, kind="mean", skipped=0, **limits):
    into = np.zeros((len(sentences), inference.config.D), np.float32)

    def finish(rows, vectors):
        into[rows] = vectors

    inference.pooled(flat_sentences(sentences), kind, finish, skipped, **limits)
    return into


def plan_of(config=ODD, scale=0.3, seed=0):
    model = random_model(config, np, np.float32, seed, scale)
    return model, InferencePlan.of(model.parameters, config)


def assert_near(actual, expected, tolerance=5e-6):
    scale = np.abs(expected).max(initial=1e-9)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
@pytest.mark.parametrize("config", [ODD, EVEN], ids=["odd", "even"])
@pytest.mark.parametrize("name", LENGTHS)
def test_vectors_are_those_of_the_layers(name, config, attention):
    model, inference = plan_of(config.replace(attention=attention))
    sentences = sentences_of(name)
    assert_near(vectors_of(inference, sentences), expected(model, sentences))


@pytest.mark.parametrize("config", [ODD, EVEN], ids=["odd", "even"])
@pytest.mark.parametrize("name", LENGTHS)
def test_sentences_that_begin_alike(name, config):
    model, inference = plan_of(config)
    sentences = alike(sentences_of(name))
    assert_near(vectors_of(inference, sentences), expected(model, sentences))
    computed = inference.computed(flat_sentences(sentences)).rows
    assert computed <= max(sum(map(len, sentences)) // 3, sum(map(len, sentences_of(name))) + 300)


class TestFirstBlock:
    """Its products, of tokens and positions apart."""

    @pytest.mark.parametrize("kind", POOLINGS)
    @pytest.mark.parametrize("config", [ODD, EVEN], ids=["odd", "even"])
    def test_vectors_are_those_of_the_layers(self, config, kind, rng):
        model, inference = plan_of(config)
        sentences = [rng.integers(0, 5, 1 + b % 29).tolist() for b in range(200)]
        computed = inference.computed(flat_sentences(sentences))
        assert computed.first <= computed.rows // 20
        assert_near(vectors_of(inference, sentences, kind), expected(model, sentences, kind))

    def test_each_different_token_and_each_position_is_multiplied_once(self):
        _, inference = plan_of()
        sentences = [
            [90, 3, 3, 90],
            [90, 3, 3, 5, 3],
            [90, 3, 7, 3, 3, 3],
            [7] * 6,
            [7] * 6,
            [3] * 5,
            [90, 90],
        ]
        # 90 3 3 90 · 5 3 · 7 3 3 3 · 7 7 7 7 7 7 · 3 3 3 3 3 · 90;  3 5 7 90 at 6 positions
        assert inference.computed(flat_sentences(sentences * 2)) == (22, 10)

    def test_tokens_that_differ_are_multiplied_as_they_are(self):
        model, inference = plan_of()
        sentences = [[*range(b, b + 30)] for b in range(0, 60, 2)] + [[*range(50)]] * 2
        computed = inference.computed(flat_sentences(sentences[:2] + sentences[-2:]))
        assert computed.first == computed.rows
        assert_near(vectors_of(inference, sentences), expected(model, sentences))

    @pytest.mark.parametrize("name", ["wte", "wpe"])
    def test_one_summand_that_is_much_larger(self, name):
        """GPT-2's positions have numbers of 50 times the others' size."""
        model, _ = plan_of(EVEN)
        model.parameters[f"{name}.weight"][:, 11] *= 300.0
        inference = InferencePlan.of(model.parameters, EVEN)
        sentences = alike(sentences_of("many"))
        computed = inference.computed(flat_sentences(sentences))
        assert computed.first < computed.rows // 2
        assert_near(vectors_of(inference, sentences), expected(model, sentences))

    @pytest.mark.parametrize("noise", [0.0, 1e-3, 0.1])
    def test_a_token_that_a_position_cancels(self, noise, rng):
        model, _ = plan_of(EVEN)
        tokens, positions = model.parameters["wte.weight"], model.parameters["wpe.weight"]
        tokens[3] = noise * rng.standard_normal(EVEN.D) - positions[1]
        sentences = [[b % 7, 3, *rng.integers(0, 7, b % 20)] for b in range(200)]
        assert_near(
            vectors_of(InferencePlan.of(model.parameters, EVEN), sentences), expected(model, sentences)
        )

    @pytest.mark.parametrize("size", [1.0, 100.0])
    def test_summands_that_cancel(self, size, rng):
        """What is added to every token and subtracted from every position changes nothing."""
        model, _ = plan_of(EVEN)
        tokens, positions = model.parameters["wte.weight"], model.parameters["wpe.weight"]
        common = (8 * size * rng.standard_normal(EVEN.D)).round().astype(np.float32) / 8  # (D,)
        for table in (tokens, positions):
            table[:] = (4096 * table).round() / 4096  # so that nothing is rounded below
        sentences = alike(sentences_of("many"))
        exact = expected(model, sentences)
        tokens += common
        positions -= common
        assert_near(expected(model, sentences), exact, 1e-12)
        assert_near(vectors_of(InferencePlan.of(model.parameters, EVEN), sentences), exact)

    def test_a_table_in_float16(self, tmp_path):
        model, _ = plan_of(EVEN)
        write_checkpoint(tmp_path, model.parameters, "float16")
        sentences = alike(sentences_of("many"))
        with StoredParameters(tmp_path, EVEN) as stored:
            inference = InferencePlan.of_files(stored, EVEN)
            rounded = type(model)(EVEN, stored.read(EVEN))
            assert inference.weights.wte.dtype == np.float16
            assert_near(vectors_of(inference, sentences), expected(rounded, sentences))


def test_a_token_changes_what_comes_after_it_and_nothing_else(rng):
    """Of sentences that begin alike; were a row shared that must not be, a vector would not change."""
    _, inference = plan_of(EVEN)
    sentence = rng.integers(0, EVEN.V, 12).tolist()
    for t in range(12):
        other = sentence.copy()
        other[t] = (other[t] + 1) % EVEN.V
        both = [sentence[: t + 1], other[: t + 1], sentence, other, sentence[:t] or [1]]
        alone = np.concatenate([vectors_of(inference, [ids]) for ids in both])
        assert_near(vectors_of(inference, both), alone)
        assert np.abs(alone[0] - alone[1]).max() > 1e-3
        assert np.abs(alone[2] - alone[3]).max() > 1e-3


@pytest.mark.parametrize("beginnings", ["different", "alike"])
@pytest.mark.parametrize("skipped", [0, 2, 3])
@pytest.mark.parametrize("kind", POOLINGS)
def test_poolings_with_and_without_a_prompt(kind, skipped, beginnings):
    model, inference = plan_of()
    sentences = sentences_of("scattered")
    if beginnings == "alike":
        sentences = alike(sentences)
    assert_near(vectors_of(inference, sentences, kind, skipped), expected(model, sentences, kind, skipped))


@pytest.mark.parametrize(
    "limits", [{"batch_size": 1}, {"batch_tokens": 1}, {"batch_size": 7, "batch_tokens": 40}]
)
def test_limits_of_a_chunk_do_not_matter(limits):
    model, inference = plan_of()
    sentences = sentences_of("many")
    assert_near(vectors_of(inference, sentences, **limits), expected(model, sentences))


@pytest.mark.parametrize(
    "limits",
    [{"batch_tokens": 1 << 40}, {"batch_tokens": np.uint8(200), "batch_size": np.uint8(250)}],
    ids=str,
)
def test_limits_far_from_the_usual(limits):
    """More tokens than memory could hold, and a number whose type cannot hold the sums it takes part in."""
    model, inference = plan_of()
    sentences = sentences_of("many") * 3
    assert_near(vectors_of(inference, sentences, **limits), expected(model, sentences))


def test_unusually_large_workspaces_are_not_kept():
    _, inference = plan_of()
    sentences = [ids for seed in range(4) for ids in sentences_of("many", seed=seed)]
    vectors_of(inference, sentences, batch_tokens=5000)
    assert not inference._spaces
    vectors_of(inference, sentences_of("many"), batch_tokens=3)
    assert {space.rows for space in inference._spaces} == {CHUNK_ROWS}, "large enough for the usual chunk"


def test_blocks_smaller_than_a_row(monkeypatch):
    monkeypatch.setattr(workspace, "BLOCK", 16)
    model, inference = plan_of()
    sentences = sentences_of("scattered")
    assert_near(vectors_of(inference, sentences), expected(model, sentences))


def test_a_sentence_longer_than_the_workspace_that_is_free():
    config = ODD.replace(n_positions=2700)
    model, inference = plan_of(config)
    for T in (3, 2700, 2600):
        sentence = [[(7 * t) % config.V for t in range(T)]]
        assert_near(vectors_of(inference, sentence), expected(model, sentence))


def test_long_sentences_that_begin_alike():
    """Longer than a run of several sentences may be."""
    config = ODD.replace(n_positions=2700, n_inner=6)
    model, inference = plan_of(config)
    sentences = [[(7 * t) % config.V for t in range(T)] for T in (1500, 1400, 700, 20)]
    assert_near(vectors_of(inference, sentences), expected(model, sentences))


def test_more_places_than_usual_on_few_rows():
    """The workspace that is free has the rows for them, but not the places."""
    model, inference = plan_of()
    vectors_of(inference, sentences_of("many"))
    sentences = [[5, 9, 2] + [1] * 40] * 300
    assert_near(vectors_of(inference, sentences, batch_tokens=1 << 20), expected(model, sentences))
    assert all(space.places < 12_000 for space in inference._spaces), "it is not kept"


def test_a_workspace_for_the_usual_chunk_is_kept_whatever_its_lengths():
    _, inference = plan_of()
    sentences = [[b] * T for b in range(91) for T in (40, 35, 35, 35)]
    vectors_of(inference, sentences)
    [padded, *_] = make_chunks(flat_sentences(sentences), CHUNK_ROWS, 1 << 30, 2, True)
    assert padded.lengths.sum() <= 2 * CHUNK_ROWS < padded.P
    assert inference._spaces


def test_bytes_of_the_weights():
    _, inference = plan_of()
    D, F = ODD.D, ODD.F
    assert inference.weights.nbytes == 4 * ODD.L * (4 * D * D + 2 * D * F + 2 * D)


def test_the_epsilon_is_the_configuration_s():
    model, inference = plan_of(ODD.replace(layer_norm_epsilon=0.3))
    sentences = sentences_of("scattered")
    assert_near(vectors_of(inference, sentences), expected(model, sentences))


@pytest.mark.parametrize("size", [11.0, -11.0], ids=["too large", "too small"])
def test_rows_whose_scores_are_all_beyond_exp(size, rng):
    """K = 6 and so every score is about ±726: exp of it is infinite or zero."""
    config, N, D = ODD, 5, ODD.D
    q, k, v = 11.0 + rng.random((N, D)), size + rng.random((N, D)), rng.standard_normal((N, D))
    z = np.empty((N, D), np.float32)
    qkv = np.hstack([q, k, v]).astype(np.float32)
    space = workspace.Workspace(config, N, N)
    [chunk] = make_chunks(flat_sentences([[1] * N]), N, 1, 1, True)
    with np.errstate(over="ignore"):
        attention_module.ChunkAttention(chunk, config, space, qkv, z).attend()
    for h in range(config.H):
        columns = slice(h * config.K, (h + 1) * config.K)
        for t in range(N):
            scores = k[: t + 1, columns] @ q[t, columns]
            weights = np.exp(scores - scores.max())
            mean = weights @ v[: t + 1, columns] / weights.sum()
            np.testing.assert_allclose(z[t, columns], mean, atol=2e-3)


def test_a_part_of_the_heads_at_a_time(monkeypatch):
    monkeypatch.setattr(attention_module, "SCORES", 200)
    monkeypatch.setattr(workspace, "SCORES", 200)
    model, inference = plan_of()
    sentences = sentences_of("long")
    assert_near(vectors_of(inference, sentences), expected(model, sentences))


@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
@pytest.mark.parametrize("T", [1, 34, 35, 50, 51, 192, 193, 300])
def test_every_query_is_in_one_part_with_the_keys_it_sees(T, attention):
    config = ODD.replace(attention=attention)
    space = workspace.Workspace(config, 2 * T, 2 * T)
    [chunk] = make_chunks(flat_sentences([[1] * T, [2] * T]), 1000, 10, 1, config.causal)
    made = attention_module.ChunkAttention(chunk, config, space, space.qkv[: 2 * T], space.heads[: 2 * T])
    [run] = made.runs
    queries = 0
    for part in run.parts:
        n, h, t, S = part.scores.shape
        assert (n, h) == (2, config.H)
        queries += t
        assert (queries if config.causal else T) == S
        assert t * S <= attention_module.SMALL_PRODUCT or T > 50
    assert queries == T


def test_numbers_begin_at_a_cache_line():
    for shape in (3, (5, 7), (2, 3, 4), 1 << 18):
        assert workspace.aligned(shape).ctypes.data % 64 == 0
        assert workspace.aligned(shape).shape == np.empty(shape).shape
    assert workspace.aligned((0, 8)).shape == (0, 8)
    space = workspace.Workspace(EVEN, 300, 400)
    arrays = [array for array in vars(space).values() if isinstance(array, np.ndarray) and array.size]
    assert all(array.ctypes.data % 64 == 0 for array in arrays)
    assert len(arrays) >= 9


@pytest.mark.parametrize("inner", [1, 47, 60, 4000])
def test_an_mlp_in_parts(inner):
    """In one part, in two, in three and in 167."""
    model, inference = plan_of(ODD.replace(n_embd=12, n_inner=inner))
    sentences = sentences_of("many")
    assert_near(vectors_of(inference, sentences), expected(model, sentences))


def test_more_rows_at_once_than_attention_gathers(monkeypatch):
    monkeypatch.setattr(workspace, "SMALL_BLOCK", 0)
    monkeypatch.setattr(workspace, "RUN_PLACES", 16)
    model, inference = plan_of(ODD.replace(n_positions=40))
    rng = np.random.default_rng(0)
    sentences = [rng.integers(0, ODD.V, 30).tolist() for _ in range(20)]
    assert_near(vectors_of(inference, sentences, batch_tokens=1 << 20), expected(model, sentences))


def test_a_few_tokens_through_a_very_wide_mlp():
    config = GPT2Config(vocab_size=9, n_positions=40, n_embd=64, n_layer=1, n_head=1, n_inner=65536)
    model, inference = plan_of(config, scale=0.05)
    for _ in range(6):
        assert_near(vectors_of(inference, [[1, 2, 3] * 8]), expected(model, [[1, 2, 3] * 8]))
    assert inference._short


@pytest.mark.parametrize("small_block", [0, 1 << 30])
@pytest.mark.parametrize("n_inner", [50, 200])  # in two parts, in six
def test_small_blocks(monkeypatch, small_block, n_inner):
    monkeypatch.setattr(workspace, "BLOCK", 90)
    monkeypatch.setattr(workspace, "PANEL_ROWS", 11)
    monkeypatch.setattr(workspace, "SMALL_BLOCK", small_block)
    model, inference = plan_of(ODD.replace(n_inner=n_inner))
    sentences = sentences_of("many")
    assert_near(vectors_of(inference, sentences), expected(model, sentences))
    assert_near(vectors_of(inference, alike(sentences)), expected(model, alike(sentences)))


@pytest.mark.parametrize("factor", [8.0, 60.0])
def test_scores_beyond_what_exp_can_hold(factor):
    """With queries and keys this long, scores reach hundreds and exp alone would overflow."""
    config = EVEN.replace(n_layer=1)  # more layers would make rounding as large as the vectors
    model = random_model(config, np, np.float32, 0, 0.3)
    model.parameters["h.0.attn.c_attn.weight"][:, : 2 * config.D] *= factor
    sentences = sentences_of("many")
    inference = InferencePlan.of(model.parameters, config)
    assert_near(vectors_of(inference, sentences), expected(model, sentences), 2e-3)
    seconds = inference.seconds_by_kind(flat_sentences(sentences), "mean")
    assert seconds["attention"] > 0  # and no warning


def test_short_sentences_by_columns():
    model, inference = plan_of(EVEN)
    sentence = [[5, 9, 2, 7]]
    exact = expected(model, sentence)
    for _ in range(9):
        assert_near(vectors_of(inference, sentence), exact)
    assert inference._short.parts == 1
    assert inference._short.blocks[0][0].fc.shape == (2, 64, 64)
    assert not inference._short_plan(make_chunks(flat_sentences([[1] * 25]), 512, 1, 1, True)[0])
    long = sentences_of("many")
    assert_near(vectors_of(inference, long), expected(model, long))


def test_the_copy_for_short_sentences_is_made_once(monkeypatch):
    made = []

    class Slow(short.ShortPlan):
        def __init__(self, weights):
            made.append(1)
            time.sleep(0.1)
            super().__init__(weights)

    monkeypatch.setattr("minigpt2.inference.ShortPlan", Slow)
    model, inference = plan_of(EVEN)
    exact = expected(model, [[5, 9]])
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(lambda _: vectors_of(inference, [[5, 9]]), range(40)):
            assert_near(vectors, exact)
    assert len(made) == 1


@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
@pytest.mark.parametrize("threads", [1, 2])
def test_large_weights_come_in_parts(monkeypatch, threads, attention):
    monkeypatch.setattr(short, "UNCUT", 0)
    monkeypatch.setattr(short, "PART_COLUMNS", 64)
    monkeypatch.setattr(rows, "threads", lambda: threads)
    seen = []

    def watched(chunk, config, space, *arguments):
        seen.append(space)
        return attention_module.ChunkAttention(chunk, config, space, *arguments)

    def watched_multiply(rows_, weight, into):
        written.append(into)
        return multiply(rows_, weight, into)

    def watched_gelu(wide, space):
        of_gelu.append(space)
        return gelu(wide, space)

    written, of_gelu, multiply, gelu = [], [], short.multiply, short.gelu
    monkeypatch.setattr(short, "ChunkAttention", watched)
    monkeypatch.setattr(short, "multiply", watched_multiply)
    monkeypatch.setattr(short, "gelu", watched_gelu)
    model, inference = plan_of(WIDE.replace(attention=attention), scale=0.1)
    sentences = [[5, 9, 2, 7], [], [1], [8, 8, 3, 90], [5, 9, 2, 1, 4], [8, 8]]
    for kind in POOLINGS:
        exact = expected(model, sentences, kind, 1)
        for _ in range(6):
            assert_near(vectors_of(inference, sentences, kind, 1), exact)
    assert inference._short.parts == 3
    assert len(inference._spaces) == 3
    for scratch in (seen[-3:], of_gelu[-3:]):
        assert len({id(space) for space in scratch}) == 3, "parts that run at the same time share no scratch"
    of_mlp, of_heads = written[-6:], written[-12:-6]
    for part in (of_mlp, of_heads):
        assert not any(np.shares_memory(a, b) for a, b in itertools.combinations(part, 2))
    assert {part.qkv.shape for part in inference._short.blocks[1]} == {(3, 192, 64)}


@pytest.mark.parametrize(("name", "parts"), [("nano", 1), ("124M", 4), ("355M", 4), ("774M", 5), ("1.5B", 5)])
def test_parts_of_the_named_sizes(name, parts):
    config = GPT2Config.named(name)
    assert parts_of(config, 4 * config.L * (4 * config.D**2 + 2 * config.D * config.F)) == parts
    assert parts_of(config, 64 << 20) == 1


def test_widths_that_do_not_split_into_columns():
    model, inference = plan_of(ODD)
    for _ in range(9):
        assert_near(vectors_of(inference, [[5, 9]]), expected(model, [[5, 9]]))
    assert inference._short is None


def test_ids_and_parameters_are_not_written_to():
    model, inference = plan_of()
    before = model.parameters.flat.copy()
    model.parameters.flat.flags.writeable = False
    sentences = [np.array(ids, np.int64) for ids in sentences_of("scattered")]
    for ids in sentences:
        ids.flags.writeable = False
    vectors_of(inference, sentences)
    np.testing.assert_array_equal(model.parameters.flat, before)


def test_eight_threads_on_one_plan():
    _, inference = plan_of(EVEN)
    work = [
        sentences_of(name, EVEN, seed) for seed in range(4) for name in ("many", "scattered", "one token")
    ]
    alone = [vectors_of(inference, sentences) for sentences in work]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for vectors, reference in zip(
                pool.map(lambda s: vectors_of(inference, s), work), alone, strict=True
            ):
                assert_near(vectors, reference, 1e-6)
    assert len(inference._spaces) <= 16


def test_workspaces_are_used_again():
    _, inference = plan_of()
    sentences = sentences_of("many")
    vectors_of(inference, sentences)
    for _ in range(20):
        vectors_of(inference, sentences)
    assert 1 <= len(inference._spaces) <= blas.threads()


class TestFiles:
    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    def test_the_plan_of_a_file_is_the_plan_of_the_model(self, tmp_path, dtype):
        model, _ = plan_of()
        write_checkpoint(tmp_path, model.parameters, dtype)
        with StoredParameters(tmp_path, ODD) as stored:
            inference = InferencePlan.of_files(stored, ODD)
            read = random_like(model, np.float32)
            read.parameters.flat[:] = stored.read(ODD).flat
        sentences = sentences_of("scattered")
        of_model = vectors_of(InferencePlan.of(read.parameters, ODD), sentences)
        np.testing.assert_array_equal(vectors_of(inference, sentences), of_model)
        assert inference.weights.wte.dtype == dtype

    @pytest.mark.parametrize("dtype", ["BF16", "F64"])
    def test_types_that_cannot_be_mapped_in_two_files(self, tmp_path, dtype):
        model, _ = plan_of()
        names, weight_map = list(model.parameters), {}
        for file, some in (("a.safetensors", names[::2]), ("b.safetensors", names[1::2])):
            header, content = {}, b""
            for name in some:
                view = model.parameters[name]
                start = len(content)
                if dtype == "BF16":
                    view.view(np.uint32)[...] &= 0xFFFF0000
                    content += (view.view(np.uint32) >> 16).astype("<u2").tobytes()
                else:
                    content += view.astype("<f8").tobytes()
                header[name] = {"dtype": dtype, "shape": view.shape, "data_offsets": [start, len(content)]}
                weight_map[name] = file
            text = json.dumps(header).encode()
            (tmp_path / file).write_bytes(len(text).to_bytes(8, "little") + text + content)
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
        with StoredParameters(tmp_path, ODD) as stored:
            inference = InferencePlan.of_files(stored, ODD)
        sentences = sentences_of("scattered")
        of_model = vectors_of(InferencePlan.of(model.parameters, ODD), sentences)
        np.testing.assert_array_equal(vectors_of(inference, sentences), of_model)

    def test_a_token_table_that_is_not_finite(self, tmp_path):
        model, _ = plan_of()
        write_checkpoint(tmp_path, model.parameters)
        content = bytearray((tmp_path / "model.safetensors").read_bytes())
        with StoredParameters(tmp_path, ODD) as stored:
            place = stored._tensors["wte.weight"].entry.start
        content[place : place + 4] = np.float32(np.nan).tobytes()
        (tmp_path / "model.safetensors").write_bytes(content)
        with (
            StoredParameters(tmp_path, ODD) as stored,
            pytest.raises(ModelError, match=r"wte\.weight' has 1 of"),
        ):
            InferencePlan.of_files(stored, ODD)


class TestChunks:
    @given(
        st.lists(st.integers(0, 60), max_size=60),
        st.integers(1, 80),
        st.integers(1, 9),
        st.integers(1, 4),
        st.booleans(),
    )
    def test_every_sentence_once_within_the_limits(self, lengths, most, batch_size, workers, causal):
        sentences = [[b] * T for b, T in enumerate(lengths)]
        chunks = make_chunks(flat_sentences(sentences), most, batch_size, workers, causal)
        seen = [b for chunk in chunks for b in chunk.sentences.tolist()]
        assert sorted(seen) == [b for b, T in enumerate(lengths) if T]
        for chunk in chunks:
            of_chunk = [lengths[b] for b in chunk.sentences]
            assert of_chunk == sorted(of_chunk, reverse=True)
            assert len(of_chunk) <= batch_size
            assert sum(of_chunk) <= most or len(of_chunk) == 1
            assert chunk.ids.tolist() == [b for b in chunk.sentences.tolist() for _ in range(lengths[b])]
            assert chunk.positions.tolist() == [t for T in of_chunk for t in range(T)]
            assert [(run.first, run.n, run.T) for run in chunk.runs] == runs_of(of_chunk)
            assert [run.start for run in chunk.runs] == [sum(of_chunk[: run.first]) for run in chunk.runs]

    @given(
        st.lists(st.lists(st.integers(0, 2), max_size=12), max_size=60),
        st.integers(1, 80),
        st.integers(1, 9),
        st.integers(1, 4),
    )
    def test_what_sentences_begin_alike_with_is_one_row(self, sentences, most, batch_size, workers):
        chunks = make_chunks(flat_sentences(sentences), most, batch_size, workers, True)
        seen = [b for chunk in chunks for b in chunk.sentences.tolist()]
        assert sorted(seen) == [b for b, ids in enumerate(sentences) if ids]
        for chunk in chunks:
            of_chunk = [sentences[b] for b in chunk.sentences]
            assert chunk.lengths.tolist() == [len(ids) for ids in of_chunk]
            assert len(of_chunk) <= batch_size
            assert len(of_chunk) == 1 or len(chunk.ids) <= most
            assert len(of_chunk) == 1 or chunk.lengths.sum() <= chunks_module.TOKENS_PER_ROW * most
            if chunk.rows is None:
                continue
            assert len(chunk.ids) == len(beginnings(of_chunk))
            assert len(chunk.rows) == sum(run.n * run.T for run in chunk.runs)
            with_token = set()
            for start, first, n, T in chunk.runs:
                assert chunk.lengths[first] == T
                for i in range(n):
                    ids, place = of_chunk[first + i], start + i * T
                    rows = chunk.rows[place : place + T]
                    assert chunk.ids[rows[: len(ids)]].tolist() == ids
                    assert chunk.positions[rows[: len(ids)]].tolist() == list(range(len(ids)))
                    assert set(rows[len(ids) :]) <= {rows[len(ids) - 1]}
                    with_token |= set(range(place, place + len(ids)))
            assert chunk.rows[chunk.places].tolist() == list(range(len(chunk.ids)))
            assert set(chunk.places.tolist()) <= with_token

    def test_a_row_is_shared_only_where_all_before_it_agrees(self):
        """The last tokens of 1 and 2 agree, and stand at the same position, after different ones."""
        sentences = flat_sentences([[4, 4, 9, 7], [4, 4, 8, 7], [4, 4, 8, 7, 7], [4, 4]])
        [chunk] = make_chunks(sentences, 100, 100, 1, True)
        assert chunk.ids.tolist() == [4, 4, 8, 7, 7, 9, 7]
        assert chunk.sentences.tolist() == [2, 1, 0, 3]
        assert [tuple(run) for run in chunk.runs] == [(0, 0, 1, 5), (5, 1, 2, 4), (13, 3, 1, 2)]
        assert chunk.rows.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 5, 6, 0, 1]

    def test_little_in_common_is_not_worth_it(self):
        different = [[b] * 40 for b in range(20)]
        [chunk] = make_chunks(flat_sentences([*different, [3] * 8]), 1000, 100, 1, True)
        assert chunk.rows is None
        [chunk] = make_chunks(flat_sentences([*different, [3] * 39]), 1000, 100, 1, True)
        assert len(chunk.ids) == 800
        [chunk] = make_chunks(flat_sentences([*different, [3] * 39]), 1000, 100, 1, False)
        assert chunk.rows is None

    def test_the_same_text_again_and_again_does_not_make_a_chunk_that_fills_the_memory(self):
        chunks = make_chunks(flat_sentences([[1, 2, 3, 4, 5]] * 1000), 100, 1000, 2, True)
        assert max(chunk.P for chunk in chunks) <= 200
        assert sum(len(chunk.sentences) for chunk in chunks) == 1000

    @pytest.mark.parametrize(
        ("beginning", "own", "count", "most_rows"),
        [(100, 1, 60, 360), (50, 3, 30, 190), (1000, 0, 300, 76_000)],
    )
    def test_a_long_beginning_is_not_computed_for_each_sentence(self, beginning, own, count, most_rows):
        """Also where it is longer than what would be an equal share of the rows."""
        sentences = [[*range(1000, 1000 + beginning), *[b] * own] for b in range(count)]
        chunks = make_chunks(flat_sentences(sentences), 2048, 1024, 2, True)
        assert sum(len(chunk.ids) for chunk in chunks) <= most_rows

    def test_beginnings_of_one_another_fill_the_chunks(self):
        sentences = [[5] * (1 + b % 200) for b in range(2000)]
        chunks = make_chunks(flat_sentences(sentences), 2048, 1024, 2, True)
        assert len(chunks) <= 2 * sum(map(len, sentences)) / (2 * 2048)

    def test_no_chunk_is_made_of_the_last_sentence_alone(self):
        sentences = [[1, *[b] * 7] for b in range(99)]
        chunks = make_chunks(flat_sentences(sentences), 400, 100, 2, True)
        assert [len(chunk.sentences) for chunk in chunks] == [50, 49]

    def test_lengths_that_are_about_equal_make_one_run(self):
        sentences = [[1] * 20, [1] * 17, [1] * 16, [2] * 5, [2] * 5]
        [chunk] = make_chunks(flat_sentences(sentences), 100, 100, 1, True)
        assert [(run.n, run.T) for run in chunk.runs] == [(2, 20), (1, 16), (2, 5)]
        many = make_chunks(flat_sentences([[1] * 400] * 6), 2048, 100, 1, True)
        assert [run.n for run in many[0].runs] == [2, 2, 2]

    def test_no_more_tokens_than_the_caller_asks_for(self, monkeypatch):
        _, inference = plan_of()
        seen, run_chunk = [], plan.run_chunk

        def watched(chunk, *rest):
            seen.append(chunk)
            return run_chunk(chunk, *rest)

        monkeypatch.setattr("minigpt2.inference.run_chunk", watched)
        vectors_of(inference, [[1, 2, 3, 4, 5]] * 40, batch_tokens=20)
        assert {(int(chunk.lengths.sum()), len(chunk.ids)) for chunk in seen} == {(20, 5)}

    def test_work_for_two_is_halved(self):
        chunks = make_chunks(flat_sentences([[1] * 10] * 40), 1000, 1000, 2, False)
        assert [len(chunk.ids) for chunk in chunks] == [200, 200]
        assert len(make_chunks(flat_sentences([[1] * 10] * 12), 1000, 1000, 2, False)) == 1
        different = [[b, 2, 3, 4, 5, 6, 7, 8, 9, 10] for b in range(20) for _ in range(2)]
        chunks = make_chunks(flat_sentences(different), 1000, 1000, 2, True)
        assert [len(chunk.ids) for chunk in chunks] == [100, 100]


def beginnings(sentences):
    return {tuple(ids[:t]) for ids in sentences for t in range(1, len(ids) + 1)}


def runs_of(lengths):
    """[(place of the first, how many, length)] of equal lengths one after the other"""
    runs = []
    for place, T in enumerate(lengths):
        if runs and runs[-1][2] == T:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, T)
        else:
            runs.append((place, 1, T))
    return runs


class TestWeightsPrint:
    def test_it_is_the_same_until_a_number_changes(self, rng):
        model, _ = plan_of()
        before = WeightsPrint.of(model.parameters, ODD)
        assert before == WeightsPrint.of(model.parameters, ODD)
        tables = (ODD.V + ODD.n_positions) * ODD.D
        for place in rng.integers(tables, model.parameters.flat.size, 50):
            old = model.parameters.flat[place]
            model.parameters.flat[place] = np.nextafter(old, np.float32(9))
            assert before != WeightsPrint.of(model.parameters, ODD), place
            model.parameters.flat[place] = old
        assert before == WeightsPrint.of(model.parameters, ODD)

    def test_the_ends_count(self):
        model, _ = plan_of()
        for place in (-1, -2, (ODD.V + ODD.n_positions) * ODD.D):
            before = WeightsPrint.of(model.parameters, ODD)
            model.parameters.flat[place] += 1.0
            assert before != WeightsPrint.of(model.parameters, ODD)

    def test_the_last_of_an_odd_number_counts_to_the_bit(self):
        config = GPT2Config(vocab_size=10, n_positions=7, n_embd=9, n_layer=1, n_head=3, n_inner=24)
        model, _ = plan_of(config)
        flat = model.parameters.flat
        assert (flat.size - 17 * 9) % 2 == 1
        before = WeightsPrint.of(model.parameters, config)
        flat[-1] = np.nextafter(flat[-1], np.float32(9))
        assert before != WeightsPrint.of(model.parameters, config)

    def test_two_numbers_at_the_end_that_change_places(self):
        model, _ = plan_of()
        before = WeightsPrint.of(model.parameters, ODD)
        flat = model.parameters.flat
        flat[[-1, -3]] = flat[[-3, -1]]
        assert before != WeightsPrint.of(model.parameters, ODD)

    def test_two_heads_that_change_places(self):
        model, _ = plan_of()
        before = WeightsPrint.of(model.parameters, ODD)
        weight = model.parameters["h.1.attn.c_proj.weight"]
        weight[:12] = np.concatenate([weight[6:12], weight[:6]])
        assert before != WeightsPrint.of(model.parameters, ODD)

    def test_another_array_with_the_same_weights(self):
        """The plan would go on looking into the old one for its embeddings."""
        model, _ = plan_of()
        other = random_like(model, np.float32)
        assert WeightsPrint.of(model.parameters, ODD) != WeightsPrint.of(other.parameters, ODD)

    def test_numbers_that_are_not_finite(self):
        model, _ = plan_of()
        model.parameters["h.0.ln_1.bias"][0] = np.nan
        assert WeightsPrint.of(model.parameters, ODD) == WeightsPrint.of(model.parameters, ODD)


def test_without_openblas(monkeypatch):
    monkeypatch.setattr(blas, "_control", None)
    assert blas.threads() == 1
    model, inference = plan_of()
    sentences = sentences_of("many")
    assert_near(vectors_of(inference, sentences), expected(model, sentences))


def test_an_error_in_a_chunk_is_raised():
    _, inference = plan_of()
    with pytest.raises(ZeroDivisionError):
        inference.pooled(flat_sentences(sentences_of("many")), "mean", lambda rows, vectors: 1 / 0)
    assert vectors_of(inference, sentences_of("many")).any()


def test_a_bias_rides_on_the_number_that_a_centred_row_does_not_need(rng):
    weight, bias = rng.standard_normal((6, 4)), rng.standard_normal(4)
    weight[3] *= 0.1
    rows = rng.standard_normal((5, 6))
    rows -= rows.mean(axis=1, keepdims=True)
    expected = rows @ weight + bias
    folded, carrier = carrying(weight, bias)
    assert carrier == 3
    rows[:, carrier] = 1.0
    np.testing.assert_allclose(rows @ folded, expected, rtol=1e-12, atol=1e-12)


def test_an_interruption_is_not_kept_waiting_by_another_thread(monkeypatch):
    """It would compute all the blocks of its chunk before."""
    for module in (rows, blas):
        monkeypatch.setattr(module, "threads", lambda: 2)
    _, inference = plan_of(EVEN.replace(n_layer=40))
    both, attended = threading.Barrier(2), []

    def interrupted(*arguments):
        if not attended:
            both.wait(timeout=10)
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        attended.append(1)
        time.sleep(0.05)
        return attend(*arguments)

    attend = attention_module.ChunkAttention.attend
    monkeypatch.setattr(attention_module.ChunkAttention, "attend", interrupted)
    with pytest.raises(KeyboardInterrupt):
        vectors_of(inference, sentences_of("many", EVEN))
    assert len(attended) <= 3


def test_folding_keeps_no_view_of_the_model():
    model, inference = plan_of()
    for block in inference.weights.blocks:
        for array in block:
            if not isinstance(array, int):
                assert not np.shares_memory(array, model.parameters.flat)
                assert array.dtype == np.float32
                assert array.flags.c_contiguous


TEN_THOUSAND_CALLS = """
import os
from pathlib import Path
import numpy as np
from minigpt2.config import GPT2Config
from minigpt2.encoder import Encoder
from minigpt2.model import GPT2
from minigpt2.parameters import Parameters
from minigpt2.tokenizer import ByteTokenizer

config = GPT2Config(vocab_size=91, n_positions=300, n_embd=64, n_layer=1, n_head=4, n_inner=128)
encoder = Encoder(GPT2(config, Parameters.initialise(config, seed=0)), ByteTokenizer())
rng = np.random.default_rng(0)
sentences = [rng.integers(0, config.V, 1 + (7 * i) % 60).tolist() for i in range(97)]

def megabytes(calls):
    for i in range(calls):
        encoder.encode_ids([sentences[i % 97]])
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

before = megabytes(1_000)
print(megabytes(10_000) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_stays_flat_over_ten_thousand_calls():
    """Short and long ones, so that both ways are taken; a call that kept one vector would add 2.5 MB.

    In a process of its own: the heap of one that has run other tests still grows by itself.
    """
    command = [sys.executable, "-c", TEN_THOUSAND_CALLS]
    two = environment(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    done = subprocess.run(command, stdout=subprocess.PIPE, env=two, timeout=600, check=True)
    assert float(done.stdout) < 1.5
