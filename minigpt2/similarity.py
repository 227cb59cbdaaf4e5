"""How alike two vectors are: six measures for pairs, for matrices, and for the nearest neighbours of a query.

`METRICS` says of each measure its formula, its range and how to read it. Each is written twice. A function of
pairs follows the formula row by row. A function of tiles turns (m, D) and (n, D) into (m, n) by one matrix
product where there is one; Euclidean and angular distances lose their digits in such a product when two
vectors are nearly the same, so the few entries where that happens are recomputed from the pair.

`matrix`, `matrix_blocks` and `nearest` walk over tiles, so their scratch memory is bounded whatever M and N.

Accuracy in a dtype of precision eps, measured up to D = 768: cosine, Pearson and angular similarity within 10
eps of their float64 value, dot within 10 eps of Σ|aᵢ bᵢ|; of a Manhattan distance 10 eps and of a Euclidean
one 200 eps relatively, however close the vectors.
Identical rows are at Euclidean and Manhattan distance exactly 0, and at angular similarity exactly 1; their
cosine and Pearson are 1 within rounding and never above. A zero vector has no direction: its cosine and
Pearson with anything are 0 and its angular similarity is 0.5, as if at a right angle.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .backend import Array, array_module
from .errors import DataError, UsageError


class Metric(NamedTuple):
    """What a measure is and how to read it."""

    name: str
    formula: str
    low: float  # no two vectors of real numbers have less,
    high: float  # and none have more
    higher_is_closer: bool
    explanation: str  # what it is, in plain words
    landmarks: str  # what some of its values mean

    def unit_range(self, dimensions: int) -> tuple[float, float]:
        """The smallest and largest value for vectors of norm 1, which is what `encode` gives by default."""
        bounds = {
            "dot": (-1.0, 1.0),
            "euclidean": (0.0, 2.0),
            "manhattan": (0.0, 2.0 * math.sqrt(dimensions)),
        }
        return bounds.get(self.name, (self.low, self.high))


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="cosine",
            formula="a·b / (‖a‖ ‖b‖)",
            low=-1.0,
            high=1.0,
            higher_is_closer=True,
            explanation="the cosine of the angle between the vectors; their lengths do not matter",
            landmarks="1 same direction, 0 unrelated, -1 opposite",
        ),
        Metric(
            name="euclidean",
            formula="sqrt(Σ (aᵢ - bᵢ)²)",
            low=0.0,
            high=math.inf,
            higher_is_closer=False,
            explanation="the straight line from one vector's tip to the other's",
            landmarks="0 identical, 1.41 unrelated, 2 opposite",
        ),
        Metric(
            name="manhattan",
            formula="Σ |aᵢ - bᵢ|",
            low=0.0,
            high=math.inf,
            higher_is_closer=False,
            explanation="the way from tip to tip along the axes, as if in a city of blocks",
            landmarks="0 identical; grows with the number of axes",
        ),
        Metric(
            name="dot",
            formula="a·b",
            low=-math.inf,
            high=math.inf,
            higher_is_closer=True,
            explanation="the products of the coordinates, summed; longer vectors give more",
            landmarks="the cosine, if the vectors have length 1",
        ),
        Metric(
            name="pearson",
            formula="cosine of a - mean(a) and b - mean(b)",
            low=-1.0,
            high=1.0,
            higher_is_closer=True,
            explanation="the correlation of the coordinates; a constant added to all does not matter",
            landmarks="1 in step, 0 unrelated, -1 mirrored",
        ),
        Metric(
            name="angular",
            formula="1 - angle(a, b) / π",
            low=0.0,
            high=1.0,
            higher_is_closer=True,
            explanation="the angle itself on an even scale, where the cosine is flat near its ends",
            landmarks="1 same direction, 0.5 unrelated, 0 opposite",
        ),
    )
}

# For packed bits, as `encode` gives them with precision "ubinary" or "binary" (int8, every byte minus 128,
# which flips its first bit on both sides); for no other vectors, hence not in METRICS.
HAMMING = Metric(
    name="hamming",
    formula="number of bits that differ",
    low=0.0,
    high=math.inf,
    higher_is_closer=False,
    explanation="how many of the packed bits differ",
    landmarks="0 identical, half of the bits unrelated, all opposite",
)

# Two sentences of at least this cosine in words: a rule of thumb for models trained on paraphrases.
_READINGS = (
    (0.8, "nearly the same meaning"),
    (0.6, "close in meaning"),
    (0.4, "related"),
    (0.2, "loosely related"),
    (-1.0, "unrelated"),
)


def reading(metric: str, value: float, dimensions: int) -> str:
    """A value between two normalised sentence vectors in plain words, the same scale for every measure.

    The value is turned into the cosine that two unit vectors with it have: exactly for dot, Euclidean and
    angular, nearly for Pearson, and for Manhattan as if the differences of the coordinates were normal, where
    Σ|δ| ≈ ‖δ‖·sqrt(2·D/π).
    """
    if metric == "euclidean":
        cosine = 1.0 - 0.5 * value * value
    elif metric == "manhattan":
        cosine = 1.0 - 0.25 * math.pi * value * value / dimensions
    elif metric == "angular":
        cosine = math.cos(math.pi * (1.0 - value))
    elif metric in METRICS:
        cosine = value
    else:
        raise UsageError(f"there are no words for metric {metric!r}: use one of {', '.join(METRICS)}")
    return next((words for least, words in _READINGS if cosine >= least), _READINGS[-1][1])


# Below this share of ‖a‖² + ‖b‖² a squared distance out of a matrix product has lost too many digits.
_CANCELLED = 0.01

# Scratch of one tile in bytes: what stays in a CPU's caches, what fills a GPU.
_TILE_BYTES = {"numpy": 1 << 20, "cupy": 1 << 27}


def pairwise(a: Array, b: Array, metric: str = "cosine") -> Array:
    """Row i of `a` with row i of `b`: (B, D), (B, D) -> (B,). One vector (D,) counts as one row.

    float32 and float64 keep their dtype; float16 and int8 are computed in float32, wider integers in float64;
    uint8 is taken for packed bits and has "hamming" only. Raises UsageError for an unknown metric or shapes
    that do not fit, DataError for NaN or infinity, naming the row.
    """
    measure = _measure(metric)
    a, b = _as_rows(a, b, metric)
    if len(a) != len(b):
        raise UsageError(
            f"pairwise needs as many rows in both, not {len(a)} and {len(b)}: use matrix for all pairs"
        )
    out = array_module(a).empty(len(a), dtype=_dtype_of_scores(a))  # (B,)
    for rows in _slices(len(a), _rows_in_tile(a, a.shape[1])):
        out[rows] = measure.pairs(a[rows], b[rows])
    return out


def matrix(a: Array, b: Array, metric: str = "cosine", block_rows: int | None = None) -> Array:
    """Every row of `a` with every row of `b`: (M, D), (N, D) -> (M, N). Types and errors as in `pairwise`.

    Beside the result it needs only bounded scratch memory; `block_rows` sets how many rows of `a` go at once.
    """
    a, b = _as_rows(a, b, metric)
    out = array_module(a).empty((len(a), len(b)), dtype=_dtype_of_scores(a))
    for rows, columns, tile in _tiles(a, b, metric, block_rows):
        out[rows, columns] = tile
    return out


def matrix_blocks(
    a: Array, b: Array, metric: str = "cosine", block_rows: int | None = None
) -> Iterator[tuple[slice, Array]]:
    """`matrix` in pieces, for a result that does not fit into memory: yields (rows of `a`, (m, N)) in order.

    `block_rows` is m; None takes as many rows as keep a block within 8 MB, on a GPU 1 GB.
    """
    a, b = _as_rows(a, b, metric)
    xp, dtype = array_module(a), _dtype_of_scores(a)
    if block_rows is None:
        block_rows = max(1, 8 * _TILE_BYTES[xp.__name__] // max(1, len(b) * dtype.itemsize))
    _check_count("block_rows", block_rows)
    return _blocks(a, b, metric, block_rows, xp, dtype)


def _blocks(a, b, metric, block_rows, xp, dtype) -> Iterator[tuple[slice, Array]]:
    for rows in _slices(len(a), block_rows):
        block = xp.empty((rows.stop - rows.start, len(b)), dtype=dtype)  # (m, N)
        for inner, columns, tile in _tiles(a[rows], b, metric, None):
            block[inner, columns] = tile
        yield rows, block


def nearest(
    queries: Array, corpus: Array, k: int = 10, metric: str = "cosine", block_rows: int | None = None
) -> tuple[Array, Array]:
    """The k rows of `corpus` closest to each query, closest first: (M, D), (N, D) -> two times (M, k).

    The first result holds the scores, the second the row numbers in the corpus.
    Closest is the highest score, or the smallest for a distance; among equal scores the lower index comes
    first. If the corpus has fewer than k rows, all of them come. The (M, N) matrix is never held: each tile
    leaves only its best k. Types and errors as in `pairwise`; a k below 1 is a UsageError.
    """
    _check_count("k", k)
    queries, corpus = _as_rows(queries, corpus, metric, names=("queries", "corpus"))
    xp, dtype = array_module(queries), _dtype_of_scores(queries)
    sign = -1.0 if _find(metric).higher_is_closer else 1.0  # score -> key, the smaller the closer
    k = min(k, len(corpus))
    scores = xp.empty((len(queries), k), dtype=dtype)
    indices = xp.empty((len(queries), k), dtype=np.int64)
    kept: tuple[Array, ...] = ()  # (m, ≤ k) keys and indices of the best so far, in the corpus's order
    for rows, columns, tile in _tiles(queries, corpus, metric, block_rows):
        numbers = xp.broadcast_to(xp.arange(columns.start, columns.stop), tile.shape)
        candidates = (sign * tile, numbers)  # (m, n) each
        if columns.start > 0:
            candidates = tuple(xp.concatenate(both, axis=1) for both in zip(kept, candidates, strict=True))
        kept = _keep_smallest(*candidates, k)
        if columns.stop == len(corpus):
            order = xp.argsort(kept[0], axis=1, kind="stable")  # (m, k) equal keys stay in the corpus's order
            scores[rows] = sign * xp.take_along_axis(kept[0], order, axis=1)
            indices[rows] = xp.take_along_axis(kept[1], order, axis=1)
    return scores, indices


def _keep_smallest(keys: Array, indices: Array, k: int) -> tuple[Array, Array]:
    """The k smallest of each row, ties won by the left, columns in their old order: (m, n) -> (m, ≤ k)."""
    m, n = keys.shape
    if n <= k:
        return keys, indices
    xp = array_module(keys)
    kth = xp.partition(keys, k - 1, axis=1)[:, k - 1, None]  # (m, 1) the k-th smallest
    below, equal = keys < kth, keys == kth  # (m, n)
    room = k - below.sum(axis=1, keepdims=True)  # (m, 1) how many of the equal ones still fit
    keep = below | (equal & (xp.cumsum(equal, axis=1, dtype=np.int64) <= room))  # exactly k in each row
    return keys[keep].reshape(m, k), indices[keep].reshape(m, k)


# The measures. `pairs`: (B, D), (B, D) -> (B,). `tile`: (m, D), (n, D) -> (m, n). Rows are finite floats.


class _Measure(NamedTuple):
    pairs: Callable[[Array, Array], Array]
    tile: Callable[[Array, Array], Array]


def _scaled_rows(x: Array) -> tuple[Array, Array]:
    """Rows divided by their largest number, so that no square over- or underflows, and that number (B, 1)."""
    xp = array_module(x)
    largest = xp.abs(x).max(axis=1, keepdims=True) if x.shape[1] else xp.zeros((len(x), 1), x.dtype)  # (B, 1)
    return x / xp.where(largest > 0.0, largest, 1.0), largest


def _row_norms(x: Array) -> Array:
    """(B, D) -> (B,)"""
    scaled, largest = _scaled_rows(x)
    return largest[:, 0] * array_module(x).sqrt((scaled * scaled).sum(axis=1))


def _unit_rows(x: Array) -> Array:
    """(B, D) -> (B, D) of norm 1; a zero row stays zero."""
    xp = array_module(x)
    scaled, _ = _scaled_rows(x)
    norms = xp.sqrt((scaled * scaled).sum(axis=1, keepdims=True))  # (B, 1) 0 or at least 1
    return scaled / xp.where(norms > 0.0, norms, 1.0)


def _centred_rows(x: Array) -> Array:
    """(B, D) -> (B, D), each row, scaled, minus its mean. A row of one repeated number becomes zero exactly:
    scaling makes it all 1 or all -1, whose mean rounding cannot touch.
    """
    scaled, _ = _scaled_rows(x)
    return scaled - scaled.mean(axis=1, keepdims=True) if x.shape[1] else scaled


def _dot_pairs(a: Array, b: Array) -> Array:
    return (a * b).sum(axis=1)


def _dot_tile(a: Array, b: Array) -> Array:
    return a @ b.T


def _cosine_pairs(a: Array, b: Array) -> Array:
    return array_module(a).clip(_dot_pairs(_unit_rows(a), _unit_rows(b)), -1.0, 1.0)


def _cosine_tile(a: Array, b: Array) -> Array:
    return array_module(a).clip(_unit_rows(a) @ _unit_rows(b).T, -1.0, 1.0)


def _pearson_pairs(a: Array, b: Array) -> Array:
    return _cosine_pairs(_centred_rows(a), _centred_rows(b))


def _pearson_tile(a: Array, b: Array) -> Array:
    return _cosine_tile(_centred_rows(a), _centred_rows(b))


def _angular_pairs(a: Array, b: Array) -> Array:
    """The angle as 2·atan2(‖u - v‖, ‖u + v‖) of the unit vectors: exact near 0 and π, where arccos is not.

    Kahan, "How futile are mindless assessments of roundoff in floating-point computation?", 2006.
    """
    xp = array_module(a)
    u, v = _unit_rows(a), _unit_rows(b)
    angle = 2.0 * xp.arctan2(_row_norms(u - v), _row_norms(u + v))
    defined = (u != 0.0).any(axis=1) & (v != 0.0).any(axis=1)
    return xp.where(defined, 1.0 - angle / math.pi, 0.5)


def _angular_tile(a: Array, b: Array) -> Array:
    xp = array_module(a)
    cosine = _cosine_tile(a, b)
    out = 1.0 - xp.arccos(cosine) / math.pi
    return _recompute(out, xp.abs(cosine) > 1.0 - _CANCELLED, _angular_pairs, a, b)


def _euclidean_pairs(a: Array, b: Array) -> Array:
    return _row_norms(a - b)


def _euclidean_tile(a: Array, b: Array) -> Array:
    """‖a - b‖² = ‖a‖² + ‖b‖² - 2 a·b, both shifted by b's mean so that less cancels."""
    xp = array_module(a)
    scale = xp.maximum(xp.abs(a).max(), xp.abs(b).max()) if a.shape[1] else xp.ones((), a.dtype)  # ()
    scale = xp.where(scale > 0.0, scale, 1.0)
    centre = (b / scale).mean(axis=0)  # (D,)
    x, y = a / scale - centre, b / scale - centre  # (m, D), (n, D)
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1)  # (m, n)
    squared = squares - 2.0 * (x @ y.T)  # (m, n)
    out = scale * xp.sqrt(xp.maximum(squared, 0.0))
    return _recompute(out, squared <= _CANCELLED * squares, _euclidean_pairs, a, b)


def _manhattan_pairs(a: Array, b: Array) -> Array:
    return array_module(a).abs(a - b).sum(axis=1)


def _manhattan_tile(a: Array, b: Array) -> Array:
    """There is no product to use: as many rows of `a` at once as keep (rows, n, D) within the scratch."""
    xp = array_module(a)
    out = xp.empty((len(a), len(b)), dtype=a.dtype)
    for rows in _slices(len(a), _rows_in_tile(a, len(b) * a.shape[1])):
        difference = a[rows, None, :] - b  # (rows, n, D)
        out[rows] = xp.abs(difference, out=difference).sum(axis=2)
    return out


def _hamming_pairs(a: Array, b: Array) -> Array:
    return array_module(a).unpackbits(a ^ b).reshape(len(a), -1).sum(axis=1).astype(np.float32)


def _hamming_tile(a: Array, b: Array) -> Array:
    """Bits as ±1: where u·v adds 1 they agree, where it adds -1 they differ. Exact up to 2²⁴ bits."""
    u, v = _signs(a), _signs(b)  # (m, 8·D), (n, 8·D)
    return 0.5 * (u.shape[1] - u @ v.T)


def _signs(packed: Array) -> Array:
    bits = array_module(packed).unpackbits(packed).reshape(len(packed), 8 * packed.shape[1])
    return 2.0 * bits.astype(np.float32) - 1.0


def _recompute(out: Array, where: Array, pairs: Callable[[Array, Array], Array], a: Array, b: Array) -> Array:
    """`out` (m, n) with the entries marked in `where` computed from their two rows, some at a time."""
    i, j = array_module(a).nonzero(where)
    for some in _slices(len(i), _rows_in_tile(a, a.shape[1])):
        out[i[some], j[some]] = pairs(a[i[some]], b[j[some]])
    return out


_MEASURES = {
    "cosine": _Measure(_cosine_pairs, _cosine_tile),
    "euclidean": _Measure(_euclidean_pairs, _euclidean_tile),
    "manhattan": _Measure(_manhattan_pairs, _manhattan_tile),
    "dot": _Measure(_dot_pairs, _dot_tile),
    "pearson": _Measure(_pearson_pairs, _pearson_tile),
    "angular": _Measure(_angular_pairs, _angular_tile),
    "hamming": _Measure(_hamming_pairs, _hamming_tile),
}


def _tiles(a: Array, b: Array, metric: str, block_rows: int | None) -> Iterator[tuple[slice, slice, Array]]:
    """All tiles of the (M, N) matrix as (rows, columns, (m, n)), those of one block of rows in order."""
    tile = _measure(metric).tile
    budget = 4 * _TILE_BYTES[array_module(a).__name__] // _dtype_of_scores(a).itemsize  # numbers in a tile
    side = math.isqrt(budget)
    if block_rows is not None:
        _check_count("block_rows", block_rows)
    height = block_rows or max(side, budget // max(1, len(b)))
    width = max(side, budget // max(1, min(height, len(a)))) if metric != "manhattan" else side
    width = min(width, max(side, 4 * budget // max(1, a.shape[1])))  # b's rows are copied once a tile
    for rows in _slices(len(a), height):
        for columns in _slices(len(b), width):
            yield rows, columns, tile(a[rows], b[columns])


def _slices(length: int, step: int) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def _rows_in_tile(a: Array, numbers_a_row: int) -> int:
    """How many rows of so many numbers fit into the scratch of one tile; at least one."""
    return max(1, _TILE_BYTES[array_module(a).__name__] // max(1, numbers_a_row * a.dtype.itemsize))


# What is accepted


def _find(metric: str) -> Metric:
    if metric == HAMMING.name:
        return HAMMING
    if metric not in METRICS:
        raise UsageError(f"unknown metric {metric!r}: use one of {', '.join([*METRICS, HAMMING.name])}")
    return METRICS[metric]


def _measure(metric: str) -> _Measure:
    return _MEASURES[_find(metric).name]


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}")


def _dtype_of_scores(a: Array) -> np.dtype:
    return np.dtype(np.float32) if a.dtype == np.uint8 else a.dtype


def _as_rows(a: Array, b: Array, metric: str, names: tuple[str, str] = ("a", "b")) -> tuple[Array, Array]:
    """Both as finite (rows, D) arrays of one module and one dtype, or an error that says which is not."""
    binary = _find(metric) is HAMMING
    x, y = (_two_dimensional(array, name) for array, name in zip((a, b), names, strict=True))
    xp = array_module(x)
    if array_module(y) is not xp:
        raise UsageError(
            f"{names[0]} is a {xp.__name__} array and {names[1]} is not: move one of them with asarray"
        )
    if x.shape[1] != y.shape[1]:
        raise UsageError(
            f"{names[0]} has {x.shape[1]} numbers a row and {names[1]} {y.shape[1]}: "
            "compare vectors of one model"
        )
    for array, name in zip((x, y), names, strict=True):
        if binary and array.dtype not in (np.uint8, np.int8):
            raise UsageError(f"hamming compares packed bits (uint8 or int8), but {name} is {array.dtype}")
        if not binary and array.dtype == np.uint8:
            raise UsageError(
                f"{name} is uint8: use metric 'hamming' for packed bits, or convert numbers to float32"
            )
    if x.dtype != y.dtype and binary:
        raise UsageError(f"{names[0]} is {x.dtype} and {names[1]} {y.dtype}: pack both in the same way")
    if binary:
        return xp.ascontiguousarray(x).view(np.uint8), xp.ascontiguousarray(y).view(np.uint8)
    dtype = np.result_type(x.dtype, y.dtype, np.float32)
    x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    for array, name in zip((x, y), names, strict=True):
        _check_finite(array, name)
    return x, y


def _two_dimensional(array: Array, name: str) -> Array:
    if array_module(array) is np:
        try:
            array = np.asarray(array)
        except ValueError:  # rows of unequal length
            raise UsageError(f"{name} is no array of numbers: its rows differ in length") from None
    if array.dtype.kind not in "fiub":
        raise UsageError(f"{name} holds {array.dtype}, not real numbers: encode the texts first")
    if array.ndim not in (1, 2):
        raise UsageError(f"{name} has shape {array.shape}: give one vector (D,) or rows of vectors (rows, D)")
    return array[None, :] if array.ndim == 1 else array


def _check_finite(array: Array, name: str) -> None:
    """The extremes of an array are finite exactly if all of it is; they need no temporary of its size."""
    if array.size == 0:
        return
    xp = array_module(array)
    with np.errstate(invalid="ignore"):
        if bool(xp.isfinite(array.min()) & xp.isfinite(array.max())):
            return
    bad = ~xp.isfinite(array).all(axis=1)
    raise DataError(
        f"{name} holds NaN or infinity in row {int(xp.argmax(bad))}: check what produced that vector"
    )
