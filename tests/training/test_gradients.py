"""The gradient of a step: as finite differences say, and the same in chunks, sums and with blocks rerun."""

import tracemalloc

import numpy as np
import pytest
from arrays import assert_close
from models import SENTENCES, TINY, random_model

import minigpt2.model
from minigpt2.backend import array_module, asarray, to_numpy
from minigpt2.config import GPT2Config
from minigpt2.errors import DataError, UsageError
from minigpt2.gradcheck import check_parameters
from minigpt2.layers import POOLINGS, normalize, pooling
from minigpt2.ragged import TokenBatch
from minigpt2.training.gradients import (
    embed,
    embed_backward,
    language_model_gradients,
    vector_gradients,
)
from minigpt2.training.losses import distillation, distillation_backward
from minigpt2.training.randomness import CountedGenerator

DROPOUT = TINY.replace(embd_pdrop=0.2, attn_pdrop=0.3, resid_pdrop=0.4)

# 11 sentences: lengths that repeat and do not, one empty, one of the whole window.
ELEVEN = [
    [(5 * t + 3 * b) % TINY.V for t in range(T)] for b, T in enumerate([3, 1, 5, 0, 3, 2, 41, 5, 1, 4, 3])
]

every_batch = pytest.mark.parametrize("name", SENTENCES)
with_and_without_dropout = pytest.mark.parametrize("config", [TINY, DROPOUT], ids=["plain", "dropout"])

# How far two orders of summation may differ, relative to the largest entry of the gradient.
TOLERANCE = {"float64": 1e-12, "float32": 1e-6}


def generator(xp, seed=7):
    return CountedGenerator(xp, seed)


def coupled_loss(vectors):
    """A loss in which every vector meets every other: distillation from fixed random targets"""
    xp = array_module(vectors)
    targets = normalize(np.random.default_rng(2).standard_normal(vectors.shape))[0]
    loss, ctx = distillation(vectors, asarray(targets, xp, vectors.dtype), temperature=0.5)
    return loss, distillation_backward(1.0, ctx)


def gradients_of(model, sentences, **options):
    """loss and gradient of a fresh step, as float and Parameters"""
    gradients = model.parameters.zeros_like()
    options = {"pooling": "weighted_mean", "loss": coupled_loss} | options
    loss = vector_gradients(model, sentences, gradients=gradients, **options)
    return float(loss), gradients


def language_model(model, sentences, **options):
    gradients = model.parameters.zeros_like()
    return float(language_model_gradients(model, sentences, gradients, **options)), gradients


def assert_same(actual, expected, tolerance):
    """Losses agree, and gradients do, relative to the largest entry of the expected one."""
    (loss, gradients), (expected_loss, expected_gradients) = actual, expected
    assert loss == pytest.approx(expected_loss, rel=tolerance)
    largest = float(np.abs(to_numpy(expected_gradients.flat)).max())
    assert largest > 0
    assert_close(gradients.flat, to_numpy(expected_gradients.flat), tolerance * largest)


# embed


@every_batch
@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("normalized", [True, False])
def test_embed_is_forward_pooling_and_normalisation(name, kind, normalized, xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES[name], xp)
    vectors, nothing = embed(model, batch, kind, normalized=normalized)
    expected = pooling(model.forward(batch)[0], batch, kind)[0]
    if normalized:
        expected = normalize(expected)[0]
    assert nothing is None
    assert_close(vectors, to_numpy(expected), 0.0)
    kept, _ = embed(model, batch, kind, normalized=normalized, keep=True)
    assert_close(kept, to_numpy(vectors), 0.0)


@every_batch
@pytest.mark.parametrize(
    ("kind", "normalized"), [*((kind, True) for kind in POOLINGS), ("weighted_mean", False)]
)
@pytest.mark.parametrize(
    ("config", "recompute"), [(TINY, False), (DROPOUT, True)], ids=["plain", "dropout and recomputed"]
)
def test_gradients_are_what_embed_does(name, kind, normalized, config, recompute, xp):
    model, batch = random_model(config, xp), TokenBatch(SENTENCES[name], xp)
    w = asarray(np.random.default_rng(4).standard_normal((batch.B, TINY.D)), xp)
    gradients = model.parameters.zeros_like()
    how = {"normalized": normalized, "recompute": recompute}
    _, ctx = embed(model, batch, kind, keep=True, rng=generator(xp), **how)
    embed_backward(w, ctx, gradients)
    check_parameters(
        f"embed, {kind}",
        lambda: (embed(model, batch, kind, normalized=normalized, rng=generator(xp))[0] * w).sum(),
        gradients,
        model.parameters,
    )


def test_embed_backward_refuses_what_it_cannot_use(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    gradients = model.parameters.zeros_like()
    vectors, nothing = embed(model, batch, "mean")
    with pytest.raises(ValueError, match="run embed with keep=True"):
        embed_backward(vectors, nothing, gradients)
    _, ctx = embed(model, batch, "mean", keep=True)
    for shape in [(5, 1), (1, TINY.D), (4, TINY.D), (TINY.D,)]:
        with pytest.raises(ValueError, match=r"but the vectors have \(5, 6\)"):
            embed_backward(xp.ones(shape), ctx, gradients)
    assert not to_numpy(gradients.flat).any()
    embed_backward(vectors, ctx, gradients)
    with pytest.raises(ValueError, match="used by an earlier backward"):
        embed_backward(vectors, ctx, gradients)


def test_embed_refuses_an_unknown_pooling(xp):
    with pytest.raises(UsageError, match="unknown pooling 'meen'"):
        embed(random_model(xp=xp), TokenBatch([[1]], xp), "meen")


# The whole step


@with_and_without_dropout
@pytest.mark.parametrize("chunk_texts", [None, 4])
@pytest.mark.parametrize("recompute", [False, True])
def test_the_step_is_what_finite_differences_say(config, chunk_texts, recompute, xp):
    model, sentences = random_model(config, xp), ELEVEN[:6]
    how = {"chunk_texts": chunk_texts, "recompute": recompute}
    loss, gradients = gradients_of(model, sentences, rng=generator(xp), **how)

    def loss_alone():
        rng, size = generator(xp), chunk_texts or len(sentences)
        batches = [TokenBatch(sentences[i : i + size], xp) for i in range(0, len(sentences), size)]
        parts = [embed(model, batch, "weighted_mean", rng=rng)[0] for batch in batches]
        return coupled_loss(xp.concatenate(parts))[0]

    assert loss == pytest.approx(float(loss_alone()), rel=1e-13)
    check_parameters("step", loss_alone, gradients, model.parameters)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("chunk_texts", [1, 2, 3, 4, 5, 10, 11, 12])
@pytest.mark.parametrize("kind", ["mean", "max"])
def test_gradient_caching_is_the_plain_step(dtype, chunk_texts, kind, xp):
    model = random_model(TINY, xp, dtype)
    plain = gradients_of(model, ELEVEN, pooling=kind)
    cached = gradients_of(model, ELEVEN, pooling=kind, chunk_texts=chunk_texts)
    assert_same(cached, plain, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@with_and_without_dropout
@pytest.mark.parametrize("chunk_texts", [None, 3])
def test_recomputation_is_the_plain_step_to_the_bit(dtype, config, chunk_texts, xp):
    model = random_model(config, xp, dtype)
    how = {"chunk_texts": chunk_texts}
    plain = gradients_of(model, ELEVEN, rng=generator(xp), **how)
    again = gradients_of(model, ELEVEN, rng=generator(xp), recompute=True, **how)
    # Atomic additions on a GPU come in any order, so a sum may differ in its last bits.
    assert_same(again, plain, 0.0 if xp is np else TOLERANCE[dtype])


def with_every_context_held(model, sentences, chunk_texts, rng):
    """The step that gradient caching stands for: every chunk forward once, then every chunk backward"""
    xp, gradients = array_module(model.parameters.flat), model.parameters.zeros_like()
    starts = range(0, len(sentences), chunk_texts)
    batches = [TokenBatch(sentences[start : start + chunk_texts], xp) for start in starts]
    held = [embed(model, batch, "weighted_mean", keep=True, rng=rng) for batch in batches]
    loss, dvectors = coupled_loss(xp.concatenate([vectors for vectors, _ in held]))
    for start, (_, ctx) in zip(starts, held, strict=True):
        embed_backward(dvectors[start : start + chunk_texts], ctx, gradients)
    return float(loss), gradients


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("chunk_texts", [1, 4, 5])
@pytest.mark.parametrize("recompute", [False, True])
def test_gradient_caching_draws_the_masks_of_a_step_that_holds_every_context(
    dtype, chunk_texts, recompute, xp
):
    model = random_model(DROPOUT, xp, dtype)
    held_rng, rng = generator(xp), generator(xp)
    held = with_every_context_held(model, ELEVEN, chunk_texts, held_rng)
    cached = gradients_of(model, ELEVEN, rng=rng, chunk_texts=chunk_texts, recompute=recompute)
    assert_same(cached, held, 0.0 if xp is np else TOLERANCE[dtype])
    assert rng.position == held_rng.position > 0

    without = gradients_of(random_model(TINY, xp, dtype), ELEVEN, chunk_texts=chunk_texts)
    assert cached[0] != without[0], "dropout was never on"


def test_each_chunk_and_each_step_draws_masks_of_its_own(xp):
    model = random_model(DROPOUT, xp)
    seen, rng = [], generator(xp)

    def loss(vectors):
        seen.append(to_numpy(vectors))
        return coupled_loss(vectors)

    for _ in range(2):
        gradients_of(model, [[1, 2, 3]] * 4, loss=loss, rng=rng, chunk_texts=2)
    vectors = np.concatenate(seen)  # 8 × the same sentence
    assert len(np.unique(vectors.round(6), axis=0)) == 8


@with_and_without_dropout
def test_accumulation_is_the_mean_of_the_batches(config, xp):
    model, rng = random_model(config, xp), generator(xp)
    batches = [ELEVEN[:4], ELEVEN[4:9], ELEVEN[9:]]
    gradients = model.parameters.zeros_like()
    for batch in batches:
        vector_gradients(model, batch, "mean", coupled_loss, gradients, rng=rng, scale=1 / 3)
    rng = generator(xp)
    each = [gradients_of(model, batch, pooling="mean", rng=rng)[1].flat for batch in batches]
    mean = np.mean([to_numpy(flat) for flat in each], axis=0)
    assert_close(gradients.flat, mean, 1e-12 * np.abs(mean).max())


def test_accumulating_a_loss_that_is_a_mean_over_rows_equals_the_large_batch(xp):
    """With nothing that couples the rows, k small batches are one large one."""
    model = random_model(xp=xp)
    w = np.random.default_rng(3).standard_normal((9, TINY.D))

    def linear_loss(rows):
        weights = asarray(w[rows], xp)
        return lambda vectors: ((vectors * weights).sum() / len(weights), weights / len(weights))

    sentences = ELEVEN[:9]
    _, whole = gradients_of(model, sentences, loss=linear_loss(slice(0, 9)))
    gradients = model.parameters.zeros_like()
    for start in (0, 3, 6):
        rows = slice(start, start + 3)
        vector_gradients(
            model, sentences[rows], "weighted_mean", linear_loss(rows), gradients, scale=1 / 3, chunk_texts=2
        )
    assert_close(gradients.flat, to_numpy(whole.flat), 1e-12 * float(abs(whole.flat).max()))


@pytest.mark.parametrize("chunk_texts", [None, 4])
def test_scale_multiplies_the_gradient_and_not_the_loss(chunk_texts, xp):
    model = random_model(xp=xp)
    loss, once = gradients_of(model, ELEVEN, chunk_texts=chunk_texts)
    same_loss, scaled = gradients_of(model, ELEVEN, chunk_texts=chunk_texts, scale=1024.0)
    assert same_loss == loss
    assert_close(scaled.flat, 1024.0 * to_numpy(once.flat), 0.0 if xp is np else 1e-9)


@pytest.mark.parametrize("chunk_texts", [None, 2])
def test_gradients_are_added_to_what_is_there(chunk_texts, xp):
    model = random_model(xp=xp)
    _, once = gradients_of(model, ELEVEN, chunk_texts=chunk_texts)
    gradients = model.parameters.zeros_like()
    gradients.flat[:] = 3.0
    vector_gradients(model, ELEVEN, "weighted_mean", coupled_loss, gradients, chunk_texts=chunk_texts)
    assert_close(gradients.flat, 3.0 + to_numpy(once.flat), 1e-12)


@pytest.mark.parametrize("chunk_texts", [None, 1, 2, 7])
@pytest.mark.parametrize(
    "sentences", [[[1, 2]], [[3]], [[], [1, 2], []], [[], []], [[1], [], [], [2, 3]]], ids=str
)
@with_and_without_dropout
def test_few_and_empty_sentences(sentences, chunk_texts, config, xp):
    model = random_model(config, xp)
    w = asarray(np.random.default_rng(3).standard_normal((len(sentences), TINY.D)), xp)
    shapes = []

    def loss(vectors):
        shapes.append(vectors.shape)
        return (vectors * w).sum(), w

    value, gradients = gradients_of(model, sentences, loss=loss, chunk_texts=chunk_texts, rng=generator(xp))
    assert shapes == [(len(sentences), TINY.D)]
    if any(sentences):
        assert np.abs(to_numpy(gradients.flat)).max() > 0
        assert value != 0.0
    else:
        assert not to_numpy(gradients.flat).any()
        assert value == 0.0
    assert np.isfinite(to_numpy(gradients.flat)).all()


@pytest.mark.parametrize("chunk_texts", [None, 2])
def test_no_sentences_give_no_gradient(chunk_texts, xp):
    model = random_model(xp=xp)
    loss = gradients_of(model, [], loss=lambda v: (v.sum(), xp.ones_like(v)), chunk_texts=chunk_texts)
    assert loss[0] == 0.0
    assert not to_numpy(loss[1].flat).any()


def test_rows_reach_the_loss_in_the_order_of_the_sentences(xp):
    model = random_model(xp=xp)
    whole = to_numpy(embed(model, TokenBatch(ELEVEN, xp), "mean")[0])
    seen = []

    def loss(vectors):
        seen.append(to_numpy(vectors))
        return vectors.sum(), xp.ones_like(vectors)

    gradients_of(model, ELEVEN, pooling="mean", loss=loss, chunk_texts=3)
    assert_close(seen[0], whole, 1e-13)


@pytest.mark.parametrize("chunk_texts", [None, 2])
def test_a_loss_whose_gradient_has_another_shape_is_refused(chunk_texts, xp):
    model = random_model(xp=xp)
    gradients = model.parameters.zeros_like()
    with pytest.raises(ValueError, match=r"gradient has shape \(4, 1\), but the vectors have \(4, 6\)"):
        vector_gradients(
            model, ELEVEN[:4], "mean", lambda v: (v.sum(), v[:, :1]), gradients, chunk_texts=chunk_texts
        )
    assert not to_numpy(gradients.flat).any()


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"])
def test_a_chunk_that_holds_nothing_is_refused(value, xp):
    model = random_model(xp=xp)
    with pytest.raises(UsageError, match="chunk_texts must be a whole number of at least 1"):
        gradients_of(model, ELEVEN, chunk_texts=value)
    with pytest.raises(UsageError, match="chunk_tokens must be a whole number of at least 1"):
        language_model(model, ELEVEN, chunk_tokens=value)


@pytest.mark.parametrize("run", [gradients_of, language_model])
def test_recomputation_refuses_a_generator_whose_draws_cannot_be_repeated(run, xp):
    with pytest.raises(UsageError, match="Generator cannot give: use training"):
        run(random_model(DROPOUT, xp), ELEVEN, rng=xp.random.default_rng(1), recompute=True)


def test_float32_stays_float32(xp):
    model = random_model(DROPOUT, xp, np.float32)
    gradients = model.parameters.zeros_like()
    for chunk in (None, 3):
        loss = vector_gradients(
            model, ELEVEN, "mean", coupled_loss, gradients, rng=generator(xp), chunk_texts=chunk, scale=0.5
        )
        assert loss.dtype == np.float32
        loss = language_model_gradients(model, ELEVEN, gradients, chunk_tokens=chunk, scale=0.5)
        assert loss.dtype == np.float32
    assert gradients.flat.dtype == np.float32


# The language model


@with_and_without_dropout
@pytest.mark.parametrize("chunk_tokens", [None, 9])
@pytest.mark.parametrize("recompute", [False, True])
def test_the_language_model_is_what_finite_differences_say(config, chunk_tokens, recompute, xp):
    model = random_model(config, xp)
    how = {"chunk_tokens": chunk_tokens}
    loss, gradients = language_model(model, ELEVEN, rng=generator(xp), recompute=recompute, **how)

    def loss_alone():
        scratch = model.parameters.zeros_like()
        return language_model_gradients(model, ELEVEN, scratch, rng=generator(xp), **how)

    assert loss == pytest.approx(float(loss_alone()), rel=1e-13)
    check_parameters("language model", loss_alone, gradients, model.parameters)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("chunk_tokens", [None, 1, 5, 9, 41, 60, 10_000])
@pytest.mark.parametrize("recompute", [False, True])
def test_language_model_chunks_add_up_to_the_mean_over_all(dtype, chunk_tokens, recompute, xp):
    model = random_model(TINY, xp, dtype)
    loss, ctx = model.loss(TokenBatch(ELEVEN, xp), keep=True)
    gradients = model.parameters.zeros_like()
    model.loss_backward(ctx, gradients)
    chunked = language_model(model, ELEVEN, chunk_tokens=chunk_tokens, recompute=recompute)
    assert_same(chunked, (float(loss), gradients), TOLERANCE[dtype])


def test_language_model_scale_multiplies_the_gradient_and_not_the_loss(xp):
    model = random_model(xp=xp)
    loss, once = language_model(model, ELEVEN, chunk_tokens=9)
    same_loss, scaled = language_model(model, ELEVEN, chunk_tokens=9, scale=1024.0)
    assert same_loss == loss
    assert_close(scaled.flat, 1024.0 * to_numpy(once.flat), 1e-9)


@pytest.mark.parametrize("sentences", [[], [[]], [[1], [], [2]]])
def test_a_language_model_without_a_next_token_is_refused(sentences, xp):
    with pytest.raises(DataError, match="no sentence has two tokens"):
        language_model(random_model(xp=xp), sentences)


def test_no_forward_pass_is_larger_than_its_chunk(monkeypatch, xp):
    model, sizes = random_model(xp=xp), []
    forward = minigpt2.model.GPT2.forward

    def measured(self, batch, **options):
        sizes.append((batch.B, batch.N, batch.longest))
        return forward(self, batch, **options)

    monkeypatch.setattr(minigpt2.model.GPT2, "forward", measured)
    gradients_of(model, ELEVEN, chunk_texts=4)
    assert [B for B, _, _ in sizes] == [4, 4, 3] * 2
    sizes.clear()
    language_model(model, ELEVEN, chunk_tokens=9)
    assert sum(B for B, _, _ in sizes) == 8  # two have one token and one none
    assert all(N <= 9 or B == 1 for B, N, _ in sizes)
    assert any(B > 1 for B, _, _ in sizes)


# Memory

DEEP = GPT2Config(vocab_size=11, n_positions=64, n_embd=32, n_layer=8, n_head=4)
WIDE_BATCH = [[1] * 64] * 8


def peak_of(run):
    """Peak memory of a run in bytes; what it allocates beyond the first run is counted, not caches"""
    run()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("nothing_lies_idle")
@pytest.mark.parametrize("head", ["vectors", "language model"])
def test_with_recomputation_a_block_holds_its_input_alone(head):
    peaks = {}
    for L in (2, 8):
        model = deep_model(L)
        gradients = model.parameters.zeros_like()
        for recompute in (False, True):

            def step(model=model, gradients=gradients, recompute=recompute):
                if head == "vectors":
                    vector_gradients(model, WIDE_BATCH, "mean", coupled_loss, gradients, recompute=recompute)
                else:
                    language_model_gradients(model, WIDE_BATCH, gradients, recompute=recompute)

            peaks[L, recompute] = peak_of(step)
    one_input = 64 * 8 * DEEP.D * 4
    more_with = (peaks[8, True] - peaks[2, True]) / 6 / one_input
    more_without = (peaks[8, False] - peaks[2, False]) / 6 / one_input
    print(f"{head}: peak memory by (layers, recompute): {peaks}")
    print(f"one more block costs {more_with:.2f} inputs of {one_input} bytes, {more_without:.1f} without")
    assert more_with < 1.1
    assert more_without > 15, "the measurement does not see contexts at all"


@pytest.mark.usefixtures("nothing_lies_idle")
def test_with_gradient_caching_memory_is_that_of_one_chunk():
    model = deep_model(8)
    gradients = model.parameters.zeros_like()

    def step(texts, **options):
        vector_gradients(model, [[1] * 64] * texts, "mean", coupled_loss, gradients, **options)

    whole = peak_of(lambda: step(16))
    cached = peak_of(lambda: step(16, chunk_texts=2))
    one_chunk = peak_of(lambda: step(2))
    print(f"peak memory: 16 texts at once {whole}, in chunks of 2 {cached}, 2 texts alone {one_chunk}")
    assert cached < 1.1 * one_chunk
    assert whole > 5 * one_chunk


def deep_model(L):
    return random_model(DEEP.replace(n_layer=L), np, np.float32, scale=0.05)
