"""Rows that are mostly zero: every operation equals that of the dense array."""

import numpy as np
import pytest

from minigpt2.evaluation import sparse
from minigpt2.evaluation.sparse import SparseRows, products, row_products, toarray


@pytest.fixture(params=[0.3, 0.0, 1.0], ids=["some", "none", "all"])
def dense(request, rng):
    """(7, 11) with a share of entries, and an empty first, middle and last row and column."""
    x = rng.standard_normal((7, 11)) * (rng.random((7, 11)) < request.param)
    x[[0, 3, 6]] = 0.0
    x[:, [0, 5, 10]] = 0.0
    return x


def as_sparse(x):
    return SparseRows.from_rows(({int(j): row[j] for j in np.flatnonzero(row)} for row in x), x.shape[1])


def test_to_sparse_and_back(dense):
    rows = as_sparse(dense)
    assert rows.shape == (7, 11)
    assert len(rows) == 7
    np.testing.assert_array_equal(toarray(rows), dense)
    assert toarray(dense) is dense


@pytest.mark.parametrize("scratch", [1, 12, 1 << 15])
def test_product(dense, rng, monkeypatch, scratch):
    monkeypatch.setattr(sparse, "_SCRATCH", scratch)  # one row at a time, some, all at once
    w = rng.standard_normal((11, 4))
    np.testing.assert_allclose(as_sparse(dense) @ w, dense @ w, atol=1e-14)
    np.testing.assert_allclose(as_sparse(dense) @ w[:, 0], dense @ w[:, 0], atol=1e-14)


def test_transpose_and_rows(dense):
    np.testing.assert_array_equal(as_sparse(dense).T.toarray(), dense.T)
    for rows in (np.array([6, 1, 1, 0]), slice(2, 5), dense[:, 1] != 0.0, np.array([], int)):
        np.testing.assert_array_equal(as_sparse(dense)[rows].toarray(), dense[rows])


def test_sums_and_lengths(dense):
    np.testing.assert_allclose(as_sparse(dense).row_sums(), dense.sum(axis=1), atol=1e-14)
    lengths = np.linalg.norm(as_sparse(dense).normalized().toarray(), axis=1)
    np.testing.assert_allclose(lengths, (dense != 0).any(axis=1), atol=1e-14)


def test_products_of_sparse_rows_make_no_dense_ones(dense, monkeypatch):
    """Ten thousand rows of ten thousand words would take seconds, and 800 MB."""
    a = as_sparse(dense)
    monkeypatch.setattr(SparseRows, "toarray", lambda self: pytest.fail("dense"))
    np.testing.assert_allclose(products(a, a), dense @ dense.T, atol=1e-14)


def test_products_of_rows(dense, rng):
    other = rng.standard_normal((7, 11)) * (rng.random((7, 11)) < 0.5)
    for a, b in ((dense, other), (as_sparse(dense), as_sparse(other))):
        np.testing.assert_allclose(row_products(a, b), (dense * other).sum(axis=1), atol=1e-14)
        np.testing.assert_allclose(products(a, b), dense @ other.T, atol=1e-14)
        np.testing.assert_allclose(products(a[:3], b), dense[:3] @ other.T, atol=1e-14)
