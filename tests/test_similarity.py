"""Similarity against loops in float64, and what must hold for any input."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigpt2 import similarity
from minigpt2.backend import array_module, to_numpy
from minigpt2.errors import DataError, UsageError
from minigpt2.similarity import HAMMING, METRICS, matrix, matrix_blocks, nearest, pairwise, reading

NAMES = list(METRICS)
ZERO_VALUE = {"cosine": 0.0, "pearson": 0.0, "angular": 0.5, "dot": 0.0}


def by_loop(metric, a, b):
    """One number from two vectors, term by term in float64: the definition."""
    a, b = [float(x) for x in a], [float(x) for x in b]
    if metric == "pearson":
        a = [x - math.fsum(a) / len(a) for x in a]
        b = [x - math.fsum(b) / len(b) for x in b]
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    if metric == "dot":
        return dot
    if metric == "euclidean":
        return math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
    if metric == "manhattan":
        return math.fsum(abs(x - y) for x, y in zip(a, b, strict=True))
    norms = math.sqrt(math.fsum(x * x for x in a)) * math.sqrt(math.fsum(x * x for x in b))
    cosine = dot / norms if norms else 0.0
    if metric == "angular":
        return 1.0 - math.acos(max(-1.0, min(1.0, cosine))) / math.pi
    return cosine


def loops(metric, a, b):
    return np.array([[by_loop(metric, x, y) for y in to_numpy(b)] for x in to_numpy(a)])


@pytest.mark.parametrize("metric", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_a_loop_in_float64(xp, rng, metric, dtype):
    a = xp.asarray(rng.standard_normal((7, 13)), dtype=dtype)
    b = xp.asarray(rng.standard_normal((5, 13)) + 0.5, dtype=dtype)
    expected = loops(metric, a, b)
    eps = np.finfo(dtype).eps
    scores = matrix(a, b, metric)
    assert array_module(scores) is xp
    assert scores.dtype == dtype
    np.testing.assert_allclose(to_numpy(scores), expected, rtol=10 * eps, atol=20 * eps)
    pairs = pairwise(a[:5], b, metric)
    assert pairs.dtype == dtype
    np.testing.assert_allclose(to_numpy(pairs), expected[:5].diagonal(), rtol=10 * eps, atol=20 * eps)


@pytest.mark.parametrize("metric", NAMES)
def test_tiles_and_strides_do_not_change_the_result(xp, rng, metric, monkeypatch):
    a = xp.asarray(rng.standard_normal((6, 23))).T  # (23, 6) not contiguous
    b = xp.asarray(rng.standard_normal((34, 12)))[::2, ::-2]  # (17, 6) not contiguous, backwards
    whole = to_numpy(matrix(a, b, metric))
    np.testing.assert_allclose(whole, loops(metric, a, b), rtol=1e-13, atol=1e-14)
    monkeypatch.setattr(similarity, "_TILE_BYTES", {"numpy": 100, "cupy": 100})
    for block_rows in (None, 1, 5, 23, 1000):
        tiled = to_numpy(matrix(a, b, metric, block_rows=block_rows))
        np.testing.assert_allclose(tiled, whole, rtol=1e-13, atol=1e-14)
        pieces = list(matrix_blocks(a, b, metric, block_rows=block_rows))
        assert [rows.start for rows, _ in pieces] == [0, *itertools.accumulate(len(p) for _, p in pieces)][
            :-1
        ]
        together = to_numpy(xp.concatenate([piece for _, piece in pieces]))
        np.testing.assert_allclose(together, whole, rtol=1e-13, atol=1e-14)
    assert all(len(piece) == 5 for _, piece in list(matrix_blocks(a, b, metric, block_rows=5))[:-1])
    np.testing.assert_allclose(to_numpy(pairwise(a[:17], b, metric)), whole[:17].diagonal(), atol=1e-14)


@pytest.mark.parametrize("metric", NAMES)
def test_zero_vectors_have_a_value_and_no_nan(xp, rng, metric):
    a = xp.asarray(rng.standard_normal((4, 6)), dtype="float32")
    a[1] = 0.0
    scores = to_numpy(matrix(a, a, metric))
    assert np.isfinite(scores).all()
    if metric in ZERO_VALUE:
        np.testing.assert_array_equal(scores[1], ZERO_VALUE[metric])
        np.testing.assert_array_equal(scores[:, 1], ZERO_VALUE[metric])
        assert float(pairwise(a[1], a[1], metric)[0]) == ZERO_VALUE[metric]
    else:
        assert scores[1, 1] == 0.0


@pytest.mark.parametrize("value", [0.1, 0.3, 1e20, -7.7])
def test_pearson_of_a_constant_vector_is_zero(xp, rng, value):
    constant = xp.full((2, 384), value, dtype="float32")
    varied = xp.asarray(rng.standard_normal((2, 384)), dtype="float32")
    assert (to_numpy(matrix(constant, varied, "pearson")) == 0.0).all()
    assert (to_numpy(pairwise(constant, varied, "pearson")) == 0.0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_identical_rows(xp, rng, dtype):
    a = xp.asarray(rng.standard_normal((50, 67)), dtype=dtype)
    for metric in ("euclidean", "manhattan"):
        assert (to_numpy(matrix(a, a, metric)).diagonal() == 0.0).all()
        assert (to_numpy(pairwise(a, a, metric)) == 0.0).all()
    assert (to_numpy(matrix(a, a, "angular")).diagonal() == 1.0).all()
    assert (to_numpy(pairwise(a, a, "angular")) == 1.0).all()
    for metric in ("cosine", "pearson"):
        for sign in (1.0, -1.0):
            same = to_numpy(matrix(a, sign * a, metric))
            assert np.abs(same).max() <= 1.0
            np.testing.assert_allclose(same.diagonal(), sign, atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("metric", ["euclidean", "angular"])
@pytest.mark.parametrize("offset", [0.0, 30.0])
@pytest.mark.parametrize("step", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
def test_near_equal_vectors_keep_their_digits(xp, rng, metric, offset, step):
    """The product form of a distance cancels here: at step 1e-4 it would be wrong in its first digit.

    `offset` is the collapsed model: all vectors share a large part, as those of an untrained GPT-2 do.
    """
    a = (rng.standard_normal((20, 96)) + offset).astype("float32")
    b = (a + step * rng.standard_normal(a.shape)).astype("float32")
    got = to_numpy(matrix(xp.asarray(a), xp.asarray(b), metric)).astype("float64")
    expected = loops(metric, a, b)
    if metric == "angular":
        np.testing.assert_allclose(got, expected, atol=2e-6)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_few_distances_are_recomputed_even_in_a_collapsed_space(xp, rng, monkeypatch):
    """Without the shift to the centre, products of vectors with a large part in common would all cancel."""
    recompute, marked = similarity._recompute, []

    def counting(out, where, *rest):
        marked.append(int(where.sum()))
        return recompute(out, where, *rest)

    monkeypatch.setattr(similarity, "_recompute", counting)
    a = xp.asarray(rng.standard_normal((60, 96)) + 30.0, dtype="float32")
    matrix(a, a, "euclidean")
    assert marked == [60]  # each vector with itself


def test_opposite_vectors_keep_their_angle(xp, rng):
    a = rng.standard_normal((9, 40)).astype("float32")
    b = (-a + 1e-4 * rng.standard_normal(a.shape)).astype("float32")
    expected = np.array([by_loop("angular", x, y) for x, y in zip(a, b, strict=True)])
    got = to_numpy(matrix(xp.asarray(a), xp.asarray(b), "angular")).diagonal()
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert (expected > 1e-5).all()  # so an answer of 0 would fail


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("metric", ["cosine", "pearson", "angular", "euclidean", "manhattan"])
def test_extreme_lengths_neither_overflow_nor_vanish(xp, rng, metric, scale):
    a, b = (rng.standard_normal((4, 11)).astype("float32") for _ in range(2))
    factor = scale if metric in ("euclidean", "manhattan") else 1.0
    expected = factor * loops(metric, a, b)
    got = to_numpy(matrix(xp.asarray(a * np.float32(scale)), xp.asarray(b * np.float32(scale)), metric))
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6 * factor)


def finite(rows, columns):
    return hnp.arrays(np.float32, (rows, columns), elements=st.floats(-1e6, 1e6, width=32))


@settings(max_examples=60, deadline=None)
@given(finite(5, 3), finite(4, 3), st.sampled_from(NAMES))
def test_values_stay_in_their_range_and_are_symmetric(a, b, metric):
    scores = matrix(a, b, metric)
    assert (scores >= METRICS[metric].low).all()
    assert (scores <= METRICS[metric].high).all()
    tolerance = 1e-5 * max(1.0, float(np.abs(scores).max()))
    if metric == "dot":
        tolerance = 1e-5 * max(1.0, float((np.abs(a) @ np.abs(b).T).max()))
    np.testing.assert_allclose(scores, matrix(b, a, metric).T, rtol=1e-5, atol=tolerance)


@pytest.mark.parametrize("metric", NAMES)
def test_unit_range_holds_and_is_reached(rng, metric):
    a = np.eye(16)[:1]
    corners = np.full((1, 16), 0.25)  # ‖·‖ = 1 and the farthest from its opposite along the axes
    low, high = METRICS[metric].unit_range(16)
    vectors = rng.standard_normal((40, 16))
    vectors = np.concatenate(
        [vectors / np.linalg.norm(vectors, axis=1, keepdims=True), a, -a, corners, -corners]
    )
    scores = matrix(vectors, vectors, metric)
    assert low - 1e-12 <= scores.min() <= low + 1e-12
    assert high - 1e-12 <= scores.max() <= high + 1e-12


@pytest.mark.parametrize("metric", NAMES)
@pytest.mark.parametrize("tile_bytes", [None, 300])
def test_nearest_equals_sorting_the_matrix(xp, rng, metric, tile_bytes, monkeypatch):
    if tile_bytes:
        monkeypatch.setattr(similarity, "_TILE_BYTES", {"numpy": tile_bytes, "cupy": tile_bytes})
    queries = xp.asarray(rng.standard_normal((9, 8)))
    corpus = xp.asarray(rng.standard_normal((101, 8)))
    full = to_numpy(matrix(queries, corpus, metric))
    order = np.argsort(-full if METRICS[metric].higher_is_closer else full, axis=1, kind="stable")
    for k in (1, 4, 100, 101, 500):
        scores, indices = nearest(queries, corpus, k, metric)
        assert scores.shape == indices.shape == (9, min(k, 101))
        np.testing.assert_array_equal(to_numpy(indices), order[:, :k])
        np.testing.assert_allclose(
            to_numpy(scores), np.take_along_axis(full, order[:, :k], axis=1), atol=1e-13
        )


@pytest.mark.parametrize("tile_bytes", [None, 64])
@pytest.mark.parametrize("k", [1, 2, 5, 11, 23])
def test_nearest_gives_the_lower_index_first_among_equals(xp, rng, k, tile_bytes, monkeypatch):
    if tile_bytes:
        monkeypatch.setattr(similarity, "_TILE_BYTES", {"numpy": tile_bytes, "cupy": tile_bytes})
    levels = rng.integers(0, 3, size=23)  # many ties; small whole numbers, so that scores are exact
    corpus = xp.asarray(np.stack([levels, np.zeros(23)], axis=1), dtype="float32")
    queries = xp.asarray([[1.0, 0.0], [2.0, 0.0]], dtype="float32")
    expected = sorted(range(23), key=lambda i: (-levels[i], i))[:k]
    for _ in range(3):
        indices = to_numpy(nearest(queries, corpus, k, "dot")[1])
        assert indices.tolist() == [expected, expected]


def test_nearest_never_holds_the_matrix(rng):
    queries = rng.standard_normal((3000, 4), dtype="float32")
    corpus = rng.standard_normal((6000, 4), dtype="float32")  # the matrix would be 72 MB
    tracemalloc.start()
    nearest(queries, corpus, 3, "cosine", block_rows=50)
    narrow = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    nearest(queries, corpus, 3, "cosine")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert narrow < 16e6
    assert peak < 45e6


def test_manhattan_and_recomputed_pairs_use_bounded_scratch(rng):
    a = rng.standard_normal((300, 64), dtype="float32")
    b = np.repeat(rng.standard_normal((1, 64), dtype="float32"), 400, axis=0)
    b[:200] = a[:200]
    for metric, limit in (("manhattan", 12e6), ("euclidean", 25e6)):  # (300, 400, 64) would be 31 MB
        tracemalloc.start()
        matrix(a, b, metric)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < limit, metric


@pytest.mark.parametrize("metric", NAMES)
def test_empty_inputs(xp, metric):
    none, some = xp.zeros((0, 5), dtype="float32"), xp.ones((3, 5), dtype="float32")
    assert matrix(none, some, metric).shape == (0, 3)
    assert matrix(some, none, metric).shape == (3, 0)
    assert pairwise(none, none, metric).shape == (0,)
    assert nearest(some, none, 4, metric)[0].shape == (3, 0)
    assert nearest(none, some, 4, metric)[1].shape == (0, 3)
    assert [block.shape for _, block in matrix_blocks(some, none, metric)] == [(3, 0)]


@pytest.mark.parametrize("metric", NAMES)
def test_inputs_are_left_alone(xp, rng, metric):
    a, b = xp.asarray(rng.standard_normal((4, 6))), xp.asarray(rng.standard_normal((4, 6)))
    before = to_numpy(a).copy(), to_numpy(b).copy()
    matrix(a, b, metric), pairwise(a, b, metric), nearest(a, b, 2, metric)
    np.testing.assert_array_equal(to_numpy(a), before[0])
    np.testing.assert_array_equal(to_numpy(b), before[1])


def test_one_vector_counts_as_one_row(xp):
    a, b = xp.asarray([1.0, 0.0]), xp.asarray([[1.0, 0.0], [0.0, 2.0]])
    np.testing.assert_array_equal(to_numpy(matrix(a, b)), [[1.0, 0.0]])
    np.testing.assert_array_equal(to_numpy(pairwise(a, a)), [1.0])
    assert to_numpy(nearest(a, b, 1)[1]).tolist() == [[0]]


@pytest.mark.parametrize(
    ("given_dtype", "expected"),
    [("float16", "float32"), ("int8", "float32"), ("bool", "float32"), ("int64", "float64")],
)
def test_other_number_types_are_computed_in_a_float(xp, given_dtype, expected):
    a = xp.asarray([[1, 0, 1], [0, 1, 1]]).astype(given_dtype)
    scores = matrix(a, a)
    assert scores.dtype == expected
    np.testing.assert_allclose(to_numpy(scores), [[1.0, 0.5], [0.5, 1.0]], rtol=1e-6)


def test_mixed_precision_takes_the_wider(xp):
    assert matrix(xp.ones((1, 2), "float32"), xp.ones((1, 2), "float64")).dtype == "float64"


def test_lists_are_arrays():
    assert matrix([[1.0, 0.0]], [[0.0, 3.0]], "euclidean").tolist() == [[math.sqrt(10.0)]]


def test_hamming_counts_bits(xp, rng):
    a, b = (rng.integers(0, 256, (n, 9), dtype=np.uint8) for n in (6, 4))
    expected = [[sum((int(p) ^ int(q)).bit_count() for p, q in zip(x, y, strict=True)) for y in b] for x in a]
    x, y = xp.asarray(a), xp.asarray(b)
    assert to_numpy(matrix(x, y, "hamming")).tolist() == expected
    assert to_numpy(pairwise(x[:4], y, "hamming")).tolist() == np.diagonal(expected).tolist()
    _, indices = nearest(x, y, 2, "hamming")
    np.testing.assert_array_equal(to_numpy(indices), np.argsort(expected, axis=1, kind="stable")[:, :2])
    signed = (x - 128).view("int8"), (y - 128).view("int8")  # what precision="binary" gives
    assert to_numpy(matrix(*signed, "hamming")).tolist() == expected
    assert not HAMMING.higher_is_closer
    with pytest.raises(UsageError, match="a is uint8 and b int8: pack both in the same way"):
        matrix(x, signed[1], "hamming")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_and_placed(xp, bad):
    a = xp.ones((5, 3))
    b = a.copy()
    b[3, 1] = bad
    for metric in NAMES:
        with pytest.raises(DataError, match=r"^b holds NaN or infinity in row 3: "):
            matrix(a, b, metric)
        with pytest.raises(DataError, match=r"^a holds NaN or infinity in row 3: "):
            pairwise(b, a, metric)
        with pytest.raises(DataError, match=r"^corpus holds NaN or infinity in row 3: "):
            nearest(a, b, 1, metric)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: matrix(np.ones((2, 3)), np.ones((2, 4))), "a has 3 numbers a row and b 4"),
        (lambda: pairwise(np.ones((2, 3)), np.ones((5, 3))), "as many rows in both, not 2 and 5"),
        (
            lambda: matrix(np.ones((2, 3)), np.ones((2, 3)), "cosinus"),
            "unknown metric 'cosinus': use one of cosine",
        ),
        (lambda: matrix(np.ones((2, 3, 4)), np.ones((2, 4))), r"a has shape \(2, 3, 4\)"),
        (lambda: matrix(np.float32(3), np.ones((2, 4))), r"a has shape \(\)"),
        (lambda: matrix([[1.0], [1.0, 2.0]], [[1.0]]), "a is no array of numbers: its rows differ in length"),
        (lambda: matrix(["a cat"], ["a dog"]), "a holds <U5, not real numbers: encode the texts first"),
        (lambda: matrix(np.ones((1, 2), complex), np.ones((1, 2))), "a holds complex128, not real numbers"),
        (
            lambda: matrix(np.ones((1, 2), np.uint8), np.ones((1, 2))),
            "a is uint8: use metric 'hamming' for packed bits",
        ),
        (
            lambda: matrix(np.ones((1, 2)), np.ones((1, 2)), "hamming"),
            r"packed bits \(uint8 or int8\), but a is float64",
        ),
        (lambda: nearest(np.ones((1, 2)), np.ones((1, 3))), "queries has 2 numbers a row and corpus 3"),
        (
            lambda: nearest(np.ones((1, 2)), np.ones((1, 2)), k=0),
            "k must be a whole number of at least 1, not 0",
        ),
        (lambda: nearest(np.ones((1, 2)), np.ones((1, 2)), k=2.5), "k must be a whole number"),
        (
            lambda: matrix(np.ones((1, 2)), np.ones((1, 2)), block_rows=-1),
            "block_rows must be a whole number",
        ),
        (lambda: matrix_blocks(np.ones((1, 2)), np.ones((1, 2)), block_rows=0), "block_rows must be a whole"),
    ],
)
def test_misuse_has_one_clear_line(call, message):
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_both_must_come_from_one_module(xp):
    ones = np.ones((1, 2))
    if xp is np:
        assert matrix(ones, [[1.0, 1.0]]).shape == (1, 1)  # a list becomes a NumPy array
    else:
        with pytest.raises(UsageError, match="a is a cupy array and b is not"):
            matrix(xp.asarray(ones), ones)


@pytest.mark.parametrize("cosine", [-0.9, 0.1, 0.3, 0.5, 0.7, 0.95])
def test_readings_agree_across_measures(rng, cosine):
    """Two unit vectors of a given cosine, random otherwise, are described alike by every measure."""
    D = 256
    a, other = np.linalg.qr(rng.standard_normal((D, 2)))[0].T
    b = cosine * a + math.sqrt(1.0 - cosine * cosine) * other
    words = {name: reading(name, float(pairwise(a, b, name)[0]), D) for name in NAMES}
    expected = {-0.9: "unrelated", 0.1: "unrelated", 0.3: "loosely related", 0.5: "related"}
    expected |= {0.7: "close in meaning", 0.95: "nearly the same meaning"}
    assert set(words.values()) == {expected[cosine]}, words


def test_there_are_no_words_for_hamming():
    with pytest.raises(UsageError, match="no words for metric 'hamming'"):
        reading("hamming", 3.0, 8)


def test_every_metric_is_described():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.low < metric.high
        assert metric.formula
        assert metric.explanation
        assert len(metric.landmarks) <= 45  # one line of the command line's table
