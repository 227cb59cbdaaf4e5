import re

import numpy as np
import pytest
from arrays import assert_close

from minigpt2.backend import asarray, to_numpy
from minigpt2.errors import DataError, UsageError
from minigpt2.interpret import principal_components


@pytest.mark.parametrize(("M", "D", "k"), [(9, 5, 2), (4, 7, 3), (3, 20, 2), (30, 3, 3)])
def test_axes_are_the_eigenvectors_of_the_covariance(M, D, k, xp, rng):
    vectors = rng.standard_normal((M, D)) * np.arange(1, D + 1) + 3.0
    found = principal_components(asarray(vectors, xp), k)
    points, explained, mean, axes = (to_numpy(array) for array in found)
    centred = vectors - vectors.mean(axis=0)
    values, eigenvectors = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(-values)[:k]
    assert_close(mean, vectors.mean(axis=0), 1e-13)
    assert_close(explained, values[order] / values.sum(), 1e-12)
    assert_close(np.abs((axes * eigenvectors[:, order].T).sum(axis=1)), np.ones(k), 1e-10)
    assert_close(axes @ axes.T, np.eye(k), 1e-12)
    assert_close(points, centred @ axes.T, 1e-11)
    assert_close((points * points).sum(axis=0), values[order], 1e-9)


def test_every_axis_points_so_that_its_largest_entry_is_positive(xp, rng):
    vectors = rng.standard_normal((8, 5))
    there = principal_components(asarray(vectors, xp), 3)
    mirrored = principal_components(asarray(-vectors, xp), 3)
    axes = to_numpy(there.axes)
    assert (axes[np.arange(3), np.abs(axes).argmax(axis=1)] > 0).all()
    assert_close(mirrored.axes, axes, 1e-12)
    assert_close(mirrored.points, -to_numpy(there.points), 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_does_not_vary_lies_at_the_origin(dtype, xp, rng):
    row = rng.standard_normal(40)
    for vectors in (row[None], np.repeat(row[None], 6, axis=0)):
        found = principal_components(asarray(vectors, xp, dtype), 2)
        for array in (found.points, found.explained, found.axes):
            assert not to_numpy(array).any()
            assert array.dtype == dtype
    two = principal_components(asarray(rng.standard_normal((2, 40)), xp, dtype), 3)
    points = to_numpy(two.points)
    assert points.shape == (2, 3)
    assert_close(points[0], -points[1], 1e-6)
    assert not points[:, 1:].any()
    assert_close(two.explained, [1.0, 0.0, 0.0], 1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,), (2, 2, 2)])
def test_what_is_no_table_of_vectors_is_refused(shape):
    with pytest.raises(UsageError, match=re.escape(f"not an array of shape {shape}")):
        principal_components(np.zeros(shape))


def test_numbers_that_are_none_are_refused():
    with pytest.raises(DataError, match="NaN or infinity"):
        principal_components(np.array([[1.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(UsageError, match="k must be a whole number"):
        principal_components(np.eye(3), 0)
