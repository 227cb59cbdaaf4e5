"""k-means finds groups that are there, and ends where no row and no centre would move."""

import numpy as np
import pytest
from test_sparse import as_sparse

from minigpt2.errors import UsageError
from minigpt2.evaluation.clustering import clustering_score, k_means
from minigpt2.evaluation.metrics import v_measure


@pytest.fixture(params=["dense", "sparse"])
def groups(request, rng):
    """(40, 6) in four groups of 10, far apart"""
    classes = np.repeat(np.arange(4), 10)
    x = 10 * np.eye(4, 6)[classes] + 0.1 * rng.standard_normal((40, 6))
    return (x if request.param == "dense" else as_sparse(x)), classes


def test_groups_that_are_far_apart_are_found(groups):
    x, classes = groups
    for seed in range(5):
        assert v_measure(k_means(x, 4, seed), classes) == pytest.approx(1.0)
    assert clustering_score(x, classes) == pytest.approx(1.0)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_it_ends_at_a_fixed_point(rng, k):
    x = rng.standard_normal((50, 4))
    found = k_means(x, k, seed=1)
    assert set(found.tolist()) == set(range(k))
    centres = np.array([x[found == cluster].mean(axis=0) for cluster in range(k)])
    nearest = np.array([np.argmin(((row - centres) ** 2).sum(axis=1)) for row in x])
    np.testing.assert_array_equal(found, nearest)
    np.testing.assert_array_equal(found, k_means(x, k, seed=1))


def test_dense_and_sparse_go_the_same_way(rng):
    x = rng.standard_normal((30, 5))
    np.testing.assert_array_equal(k_means(x, 4), k_means(as_sparse(x), 4))


def test_no_cluster_stays_empty_where_rows_are_equal():
    x = np.repeat(np.eye(2), [5, 1], axis=0)
    assert sorted(np.bincount(k_means(x, 4), minlength=4).tolist()) == [1, 1, 1, 3]
    assert set(k_means(np.ones((3, 2)), 3).tolist()) == {0, 1, 2}


@pytest.mark.parametrize("k", [0, 6])
def test_refused(k):
    with pytest.raises(UsageError, match="between 1 and the 5 rows"):
        k_means(np.eye(5), k)
