"""A map of many vectors: their coordinates along the directions in which they vary most.

    X − mean(X) = U · S · Wᵀ              the singular value decomposition
    points      = (X − mean(X)) · W       its first k columns: the axes along which the most is to be seen
    explained   = S² / Σ S²               the share of the variance that each axis shows

Pearson 1901, "On lines and planes of closest fit to systems of points in space". An axis may point either
way; here its largest entry is positive, so that a run repeats.
"""

from typing import NamedTuple

from ..backend import Array, array_module
from ..errors import DataError, UsageError
from .checks import require_count


class Projection(NamedTuple):
    """Where the vectors lie on the map, and what the map is. A new vector x lies at (x − mean) · axesᵀ."""

    points: Array  # (M, k)
    explained: Array  # (k,) shares of the whole variance, largest first
    mean: Array  # (D,) what lies at the origin
    axes: Array  # (k, D) of length 1; zero where nothing is left to show


def principal_components(vectors: Array, k: int = 2) -> Projection:
    """(M, D) -> the k principal components. A direction in which nothing varies has a zero axis.

    So one vector, or many equal ones, lie at the origin. Raises UsageError for an array that is no (M, D) or
    has no rows, DataError for NaN or infinity.
    """
    require_count("k", k)
    xp = array_module(vectors)
    if vectors.ndim != 2 or 0 in vectors.shape:
        raise UsageError(f"a map needs vectors (M, D), at least one, not an array of shape {vectors.shape}")
    if not bool(xp.isfinite(vectors).all()):
        raise DataError("a map needs finite vectors, but there is NaN or infinity in these")
    mean = vectors.mean(axis=0)  # (D,)
    centred = vectors - mean  # (M, D)
    _, s, w = xp.linalg.svd(centred, full_matrices=False)  # (m,), (m, D)  m = min(M, D)

    # A singular value that rounding alone could have made of zero is zero.
    rounding = float(xp.finfo(s.dtype).eps) * max(vectors.shape) ** 0.5 * float(xp.linalg.norm(vectors))
    varies = s > rounding  # (m,)
    peak = xp.take_along_axis(w, xp.abs(w).argmax(axis=1)[:, None], axis=1)  # (m, 1)
    w = w * xp.sign(peak) * varies[:, None]  # (m, D)
    variance = s * s * varies  # (m,)
    shares = variance / max(float(variance.sum()), float(xp.finfo(s.dtype).tiny))  # (m,)

    axes = xp.zeros((k, vectors.shape[1]), dtype=w.dtype)  # (k, D)
    explained = xp.zeros(k, dtype=w.dtype)  # (k,)
    axes[: len(w)], explained[: len(w)] = w[:k], shares[:k]
    return Projection(centred @ axes.T, explained, mean, axes)
