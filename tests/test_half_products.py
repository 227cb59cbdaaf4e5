"""Rounding to 16 bits, products of rounded matrices, and a model that computes with them."""

import contextlib
import threading

import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from models import SENTENCES, TINY, random_model

import minigpt2.half_products
from minigpt2.backend import array_module, asarray, gpu_problem, to_numpy
from minigpt2.config import GPT2Config
from minigpt2.errors import DeviceError, UsageError
from minigpt2.half_products import (
    KINDS,
    HalfMatrix,
    factor,
    from_bfloat16,
    half_products,
    to_bfloat16,
    unrounded,
)
from minigpt2.layers import linear, linear_backward
from minigpt2.ragged import TokenBatch
from minigpt2.training.gradients import language_model_gradients, vector_gradients
from minigpt2.training.losses import (
    distillation,
    distillation_backward,
    next_token,
    next_token_backward,
)
from minigpt2.training.randomness import CountedGenerator

every_kind = pytest.mark.parametrize("kind", KINDS)

# Half the distance from 1 to the next number: how far rounding moves a number at most, relative to it.
ROUNDING = {"bfloat16": 2.0**-8, "float16": 2.0**-11}

MODEL = GPT2Config(vocab_size=23, n_positions=41, n_embd=32, n_layer=3, n_head=4, n_inner=80)


def halves(kind, xp):
    """`half_products` on the device under test: the GPU's own, or their twin on the CPU"""
    return half_products(kind, allow_cpu=xp is np)


def rounded(x, kind):
    """float32 on the host -> the nearest numbers of `kind`, by means other than the package's"""
    if kind == "float16":
        with np.errstate(over="ignore"):
            return x.astype(np.float16).astype(np.float32)
    return nearest_bfloat16(x)


def nearest_bfloat16(x):
    """The nearest of all bfloat16 numbers, found by search; of two as near, the one whose bits are even"""
    bits = np.arange(0x7F80, dtype=np.uint32)  # all finite numbers that are not negative
    table = (bits << np.uint32(16)).view(np.float32).astype(np.float64)
    # What would follow the largest one stands for infinity.
    table, bits = np.append(table, 2.0**128), np.append(bits, np.uint32(0x7F80))
    magnitude = np.minimum(np.abs(x.astype(np.float64)), 2.0**128)
    above = np.clip(np.searchsorted(table, magnitude), 1, len(table) - 1)
    low, high = magnitude - table[above - 1], table[above] - magnitude
    takes_high = (high < low) | ((high == low) & (bits[above] % 2 == 0))
    nearest = bits[np.where(takes_high, above, above - 1)]
    return np.copysign((nearest << np.uint32(16)).view(np.float32), x)


def normal(*shape, seed=1):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


# Rounding


def test_every_bfloat16_number_is_itself(xp):
    bits = np.arange(1 << 16, dtype=np.uint16)
    again = to_numpy(to_bfloat16(from_bfloat16(asarray(bits, xp))))
    is_nan = (bits & 0x7FFF) > 0x7F80
    np.testing.assert_array_equal(again[~is_nan], bits[~is_nan])
    np.testing.assert_array_equal(again[is_nan], bits[is_nan] | 0x40)  # NaN stays NaN, made quiet


def test_from_bfloat16_fills_up_with_zeros(xp):
    x = to_numpy(from_bfloat16(asarray(np.array([0x3F80, 0xC040, 0x7F80, 0x0001], np.uint16), xp)))
    assert x.tolist() == [1.0, -3.0, np.inf, 2.0**-133]


def test_everything_between_two_bfloat16_numbers_goes_to_the_nearer_and_a_tie_to_the_even(xp):
    upper = np.arange(0x7F80, dtype=np.uint32) << np.uint32(16)
    lower = np.array([0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    x = (upper[:, None] | lower).view(np.float32).ravel()
    x = np.concatenate([x, -x])
    ours = to_numpy(from_bfloat16(to_bfloat16(asarray(x, xp))))
    np.testing.assert_array_equal(ours.view(np.uint32), nearest_bfloat16(x).view(np.uint32))


def test_random_bits_round_to_the_nearest(xp):
    x = np.random.default_rng(1).integers(0, 1 << 32, 200_000, dtype=np.uint32).view(np.float32)
    x = x[~np.isnan(x)]
    ours = to_numpy(from_bfloat16(to_bfloat16(asarray(x, xp))))
    np.testing.assert_array_equal(ours.view(np.uint32), nearest_bfloat16(x).view(np.uint32))


def test_a_nan_stays_one_whatever_its_bits(xp):
    x = np.array([0x7F800001, 0x7FFFFFFF, 0xFF800001, 0x7FC00000, 0x7F80FFFF], np.uint32).view(np.float32)
    assert np.isnan(to_numpy(from_bfloat16(to_bfloat16(asarray(x, xp))))).all()


@every_kind
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(7, 5), (1, 1), (0, 3), (3, 0)])
def test_a_factor_stands_for_the_rounded_numbers(kind, layout, shape, xp):
    x = 100 * normal(*shape)
    with halves(kind, xp):
        half = factor(laid_out(x, layout, xp, np.float32))
    assert isinstance(half, HalfMatrix)
    assert half.shape == shape
    assert half.T.shape == shape[::-1]
    np.testing.assert_array_equal(to_numpy(unrounded(half)), rounded(x, kind))
    np.testing.assert_array_equal(to_numpy(unrounded(half.T)), rounded(x, kind).T)
    assert unrounded(half).dtype == np.float32


@every_kind
def test_too_large_becomes_infinite(kind, xp):
    # The largest number, and what is nearer to the power of two that would follow it.
    largest, beyond = {"bfloat16": (3.3895314e38, 3.397e38), "float16": (65504.0, 65520.0)}[kind]
    x = asarray(np.array([[largest, -largest, beyond, -beyond]], np.float32), xp)
    with halves(kind, xp):
        values = to_numpy(unrounded(factor(x)))[0]
    assert values.tolist() == [np.float32(largest), np.float32(-largest), np.inf, -np.inf]


# Products


def matrix(x, way, xp):
    """`x` as an array of its own, as the transposed view of one, or in every second place of a wider one"""
    if way == "transposed":
        return asarray(np.ascontiguousarray(x.T), xp).T
    return laid_out(x, way, xp, np.float32)


WAYS = ("C", "transposed", "strided")


@every_kind
@pytest.mark.parametrize("way_a", WAYS)
@pytest.mark.parametrize("way_b", WAYS)
@pytest.mark.parametrize("sizes", [(7, 5, 3), (1, 9, 1), (64, 32, 48), (130, 257, 33)], ids=str)
def test_a_product_is_that_of_the_rounded_matrices(kind, way_a, way_b, sizes, xp):
    m, k, n = sizes
    a, b = normal(m, k), normal(k, n)
    exact = rounded(a, kind).astype(np.float64) @ rounded(b, kind).astype(np.float64)
    on_a, on_b = matrix(a, way_a, xp), matrix(b, way_b, xp)
    with halves(kind, xp):
        x, w = factor(on_a), factor(on_b)
        products = [x @ w, (w.T @ x.T).T, x @ on_b, on_a @ w]
        # The transposed views of both, as backward takes them.
        products += [factor(on_a.T).T @ factor(on_b.T).T]
    for y in products:
        assert y.dtype == np.float32
        assert type(y) is xp.ndarray
        assert_close(y, exact, 1e-5 * np.abs(exact).max())


@every_kind
@pytest.mark.parametrize("sizes", [(0, 4, 3), (2, 0, 3), (2, 4, 0), (0, 0, 0)], ids=str)
def test_products_without_rows_columns_or_terms(kind, sizes, xp):
    m, k, n = sizes
    with halves(kind, xp):
        y = factor(xp.zeros((m, k), dtype=np.float32)) @ factor(xp.zeros((k, n), dtype=np.float32))
    assert y.shape == (m, n)
    assert y.dtype == np.float32
    assert not to_numpy(y).any()


@every_kind
def test_sums_are_kept_in_float32(kind, xp):
    """4096 ones after a 4096 are lost where the sum itself has 16 bits."""
    a = xp.ones((1, 4097), dtype=np.float32)
    a[0, 0] = 4096.0
    with halves(kind, xp):
        y = factor(a) @ factor(xp.ones((4097, 1), dtype=np.float32))
    assert float(y[0, 0]) == 8192.0


@every_kind
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_shows_in_the_product(kind, bad, xp):
    a = normal(3, 4)
    a[1, 2] = bad
    with halves(kind, xp):
        y = to_numpy(factor(asarray(a, xp)) @ factor(asarray(normal(4, 2), xp)))
    assert np.isfinite(y[[0, 2]]).all()
    assert not np.isfinite(y[1]).any()


def test_matrices_that_do_not_fit_are_refused(xp):
    with halves("bfloat16", xp), pytest.raises(ValueError, match=r"\(2, 3\) cannot be multiplied with"):
        _ = factor(xp.ones((2, 3), dtype=np.float32)) @ factor(xp.ones((2, 3), dtype=np.float32))


# Where it holds


def test_outside_a_factor_is_the_array_itself(xp):
    x = xp.ones((2, 3))
    assert factor(x) is x
    assert unrounded(x) is x
    with halves("bfloat16", xp), contextlib.suppress(KeyError):
        raise KeyError
    assert factor(x) is x


@every_kind
def test_the_innermost_block_decides(kind, xp):
    x = xp.ones((2, 3), dtype=np.float32)
    other = KINDS[1 - KINDS.index(kind)]
    with halves(kind, xp):
        with halves(other, xp):
            assert factor(x).kind == other
        assert factor(x).kind == kind
    with halves(kind, xp), halves(other, xp), pytest.raises(UsageError, match="meets a"):
        _ = HalfMatrix(x, kind) @ factor(x.T)


def test_other_threads_are_not_concerned(xp):
    x, seen = xp.ones((2, 3), dtype=np.float32), []
    with halves("bfloat16", xp):
        thread = threading.Thread(target=lambda: seen.append(factor(x) is x))
        thread.start()
        thread.join()
    assert seen == [True]


def test_an_unknown_kind_is_refused():
    with pytest.raises(UsageError, match="unknown half precision 'int8': use one of bfloat16, float16"):
        half_products("int8").__enter__()


def test_without_a_gpu_it_is_refused():
    if gpu_problem():
        with pytest.raises(DeviceError, match="CuPy"), half_products("bfloat16"):
            pass
    else:
        with half_products("bfloat16"), pytest.raises(UsageError, match="these arrays are on the CPU"):
            factor(np.ones((2, 3), np.float32))


@every_kind
def test_float64_is_refused(kind, xp):
    with halves(kind, xp), pytest.raises(UsageError, match="round float32 arrays, but this one is float64"):
        factor(xp.ones((2, 3)))


# Layers


@every_kind
@pytest.mark.parametrize("layout", LAYOUTS)
def test_linear_multiplies_rounded_matrices_and_adds_what_is_not_rounded(kind, layout, xp):
    x, weight, bias, dy = normal(7, 6), normal(6, 10), normal(10), normal(7, 10, seed=2)
    with halves(kind, xp):
        y, ctx = linear(*(laid_out(array, layout, xp, np.float32) for array in (x, weight, bias)))
        dx, dweight, dbias = linear_backward(laid_out(dy, layout, xp, np.float32), ctx)
    x, weight, dy_rounded = rounded(x, kind), rounded(weight, kind), rounded(dy, kind)
    assert_close(y, x @ weight + bias, 1e-5)
    assert_close(dx, dy_rounded @ weight.T, 1e-5)
    assert_close(dweight, x.T @ dy_rounded, 1e-5)
    assert_close(dbias, dy.sum(axis=0), 1e-5)
    assert all(array.dtype == np.float32 for array in (y, dx, dweight, dbias))


@every_kind
def test_backward_outside_the_block_goes_back_by_the_rounded_matrices_all_the_same(kind, xp):
    x, weight, bias, dy = (asarray(normal(*shape), xp) for shape in ((7, 6), (6, 10), (10,), (7, 10)))
    with halves(kind, xp):
        _, ctx = linear(x, weight, bias)
        inside = linear_backward(dy, ctx)
    for gradient, expected in zip(linear_backward(dy, ctx), inside, strict=True):
        assert_close(gradient, to_numpy(expected), 0.0)


@every_kind
@pytest.mark.parametrize("head", ["linear", "logits", "next token"])
def test_each_matrix_is_rounded_once(kind, head, monkeypatch, xp):
    """Twice would give the same numbers and cost as much as a small product."""
    model, batch = random_model(TINY, xp, np.float32), TokenBatch([[1, 2, 3]], xp)
    gradients, sizes = model.parameters.zeros_like(), []
    rounded_by = minigpt2.half_products._rounded

    def counted(x, kind):
        sizes.append(x.shape)
        return rounded_by(x, kind)

    monkeypatch.setattr(minigpt2.half_products, "_rounded", counted)
    x = asarray(normal(3, TINY.D), xp)
    wte = model.parameters["wte.weight"]
    with halves(kind, xp):
        if head == "linear":
            y, ctx = linear(x, wte.T, xp.zeros(TINY.V, dtype=np.float32))
            linear_backward(y, ctx)
            assert sizes == [x.shape, wte.T.shape, y.shape]
        elif head == "logits":
            y, ctx = model.logits(x)
            model.logits_backward(y, ctx, gradients)
            assert sizes == [x.shape, wte.shape, y.shape]
        else:
            _, ctx = next_token(x, wte, batch)
            next_token_backward(1.0, ctx)
            # The head is run again by its backward, so both operands are rounded again there.
            assert sizes == [wte.shape, (2, TINY.D)] * 2 + [(2, TINY.V)]


@every_kind
def test_on_a_gpu_the_context_takes_half_the_memory(kind, xp):
    x = asarray(normal(64, 32), xp)
    with halves(kind, xp):
        _, ctx = linear(x, asarray(normal(32, 16), xp), xp.zeros(16, dtype=np.float32))
    assert ctx.x.stored.nbytes == x.nbytes // (1 if xp is np else 2)


# The whole model


def coupled_loss(vectors):
    """Distillation from fixed random targets: every vector meets every other"""
    targets = np.random.default_rng(2).standard_normal(vectors.shape)
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    on_device = asarray(targets.astype(np.float32), array_module(vectors))
    loss, ctx = distillation(vectors, on_device, temperature=0.5)
    return loss, distillation_backward(1.0, ctx)


SENTENCES_OF_A_STEP = [
    [(5 * t + 3 * b) % MODEL.V for t in range(T)] for b, T in enumerate([3, 1, 5, 0, 3, 2, 41])
]


def step(model, head="vectors", **options):
    """loss and gradient (P,) on the host"""
    gradients = model.parameters.zeros_like()
    if head == "vectors":
        loss = vector_gradients(model, SENTENCES_OF_A_STEP, "mean", coupled_loss, gradients, **options)
    else:
        loss = language_model_gradients(model, SENTENCES_OF_A_STEP, gradients, **options)
    assert gradients.flat.dtype == np.float32
    return float(loss), to_numpy(gradients.flat)


@every_kind
@pytest.mark.parametrize("head", ["vectors", "language model"])
def test_the_gradient_of_a_model_is_that_of_float32_but_for_rounding(kind, head, xp):
    model = random_model(MODEL, xp, np.float32, scale=0.15)
    loss, gradient = step(model, head)
    with halves(kind, xp):
        half_loss, half_gradient = step(model, head)
    difference = np.linalg.norm(half_gradient - gradient) / np.linalg.norm(gradient)
    print(f"{kind}, {head}: loss {half_loss:.6f} for {loss:.6f}, gradient differs by {difference:.2e}")
    assert half_loss == pytest.approx(loss, rel=4 * ROUNDING[kind])
    # Some ten roundings one after the other, of random signs.
    assert 0.05 * ROUNDING[kind] < difference < 6 * ROUNDING[kind]


@every_kind
@pytest.mark.parametrize("head", ["vectors", "language model"])
@pytest.mark.gpu
def test_the_gpu_computes_what_its_twin_on_the_cpu_does(kind, head):
    if gpu_problem():
        pytest.skip(gpu_problem())
    import cupy

    with half_products(kind, allow_cpu=True):
        loss, gradient = step(random_model(MODEL, np, np.float32, scale=0.15), head)
        gpu_loss, gpu_gradient = step(random_model(MODEL, cupy, np.float32, scale=0.15), head)
    assert gpu_loss == pytest.approx(loss, rel=0.5 * ROUNDING[kind])
    # Sums in another order, now and then rounded to the other neighbour.
    assert np.linalg.norm(gpu_gradient - gradient) < 1.0 * ROUNDING[kind] * np.linalg.norm(gradient)


@every_kind
@pytest.mark.parametrize("head", ["vectors", "language model"])
def test_recomputation_and_gradient_caching_hold_in_half_precision(kind, head, xp):
    config = MODEL.replace(embd_pdrop=0.1, attn_pdrop=0.1, resid_pdrop=0.1)
    model = random_model(config, xp, np.float32, scale=0.15)
    chunk = {"vectors": {"chunk_texts": 2}, "language model": {"chunk_tokens": 6}}[head]
    with halves(kind, xp):
        plain = step(model, head, rng=CountedGenerator(xp, 1), **chunk)
        again = step(model, head, rng=CountedGenerator(xp, 1), recompute=True, **chunk)
    assert again[0] == pytest.approx(plain[0], rel=0.0 if xp is np else 1e-5)
    assert_close(again[1], plain[1], (0.0 if xp is np else 1e-5) * np.abs(plain[1]).max())


@every_kind
def test_every_name_of_the_activation_cache_is_an_array(kind, xp):
    model, batch = random_model(TINY, xp, np.float32), TokenBatch(SENTENCES["scattered"], xp)
    with halves(kind, xp):
        _, cache = model.run_with_cache(batch)
    for name in cache:
        arrays = cache[name] if isinstance(cache[name], list) else [cache[name]]
        assert all(type(array) is xp.ndarray and array.dtype == np.float32 for array in arrays), name


@every_kind
def test_the_tied_head_rounds_both_operands(kind, xp):
    model = random_model(TINY, xp, np.float32)
    hidden = normal(7, TINY.D)
    gradients = model.parameters.zeros_like()
    dlogits = normal(7, TINY.V)
    with halves(kind, xp):
        logits, ctx = model.logits(asarray(hidden, xp))
        dhidden = model.logits_backward(asarray(dlogits, xp), ctx, gradients)
    wte, hidden = rounded(to_numpy(model.parameters["wte.weight"]), kind), rounded(hidden, kind)
    assert_close(logits, hidden @ wte.T, 1e-5)
    assert_close(dhidden, rounded(dlogits, kind) @ wte, 1e-5)
    assert_close(gradients["wte.weight"], rounded(dlogits, kind).T @ hidden, 1e-5)
