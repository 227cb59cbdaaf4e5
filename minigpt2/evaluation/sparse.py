"""Matrices that are mostly zero: rows of counts or weights of words, held as the numbers that are not zero.

    indices, values    (Z,) column and number of every entry, row by row
    starts             (M+1,) row i is entries starts[i] to starts[i+1]

This is the compressed row format, with as many operations as bags of words need: product with a dense matrix,
transpose, choice of rows. Dense rows take the same operators, so that what is written with `x @ w`, `x.T @ g`
and `x[rows]` works on both.
"""

from collections.abc import Iterable

import numpy as np

_SCRATCH = 1 << 15  # numbers in the temporary of one product: what stays in a cache


class SparseRows:
    """(M, V) float64, of which only the entries that are not zero are held; no column twice in a row."""

    def __init__(self, indices: np.ndarray, values: np.ndarray, starts: np.ndarray, columns: int) -> None:
        self.indices = indices
        self.values = values
        self.starts = starts
        self.shape = (len(starts) - 1, columns)

    @classmethod
    def from_rows(cls, rows: Iterable[dict[int, float]], columns: int) -> "SparseRows":
        """M mappings of column -> number"""
        indices: list[int] = []
        values: list[float] = []
        starts = [0]
        for row in rows:
            indices.extend(row.keys())
            values.extend(row.values())
            starts.append(len(indices))
        return cls(np.array(indices, np.int64), np.array(values, np.float64), np.array(starts), columns)

    def __len__(self) -> int:
        return self.shape[0]

    def __matmul__(self, dense: np.ndarray) -> np.ndarray:
        """(M, V) @ (V, C) -> (M, C), or @ (V,) -> (M,)"""
        if dense.ndim == 1:
            return np.bincount(self._rows(), self.values * dense[self.indices], self.shape[0])
        M, C = self.shape[0], dense.shape[1]
        out = np.zeros((M, C))
        begin = 0
        while begin < M:
            # As many rows as have entries for one temporary, at least one.
            most = self.starts[begin] + max(1, _SCRATCH // max(1, C))
            end = max(begin + 1, int(np.searchsorted(self.starts, most, side="right")) - 1)
            first, last = self.starts[begin], self.starts[end]
            if last > first:
                terms = self.values[first:last, None] * dense[self.indices[first:last]]  # (z, C)
                filled = np.flatnonzero(np.diff(self.starts[begin : end + 1]))
                out[begin + filled] = np.add.reduceat(terms, self.starts[begin + filled] - first)
            begin = end
        return out

    @property
    def T(self) -> "SparseRows":
        """(V, M)"""
        order = np.argsort(self.indices, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.indices, minlength=self.shape[1]))])
        return SparseRows(self._rows()[order], self.values[order], starts, self.shape[0])

    def __getitem__(self, rows: np.ndarray | slice) -> "SparseRows":
        """The rows of these numbers, in their order."""
        chosen = np.arange(self.shape[0])[rows]  # (m,)
        lengths = np.diff(self.starts)[chosen]  # (m,)
        starts = np.concatenate([[0], np.cumsum(lengths)])  # (m+1,)
        entries = _ranges(self.starts[chosen], lengths)
        return SparseRows(self.indices[entries], self.values[entries], starts, self.shape[1])

    def toarray(self) -> np.ndarray:
        """(M, V) dense"""
        out = np.zeros(self.shape)
        out[self._rows(), self.indices] = self.values
        return out

    def row_sums(self) -> np.ndarray:
        """(M,)"""
        return np.bincount(self._rows(), self.values, self.shape[0])

    def normalized(self) -> "SparseRows":
        """Every row with length 1; a row of zeros stays."""
        squares = squared_lengths(self)  # (M,)
        scale = 1.0 / np.sqrt(np.where(squares > 0.0, squares, 1.0))  # (M,)
        return SparseRows(self.indices, self.values * scale[self._rows()], self.starts, self.shape[1])

    def _rows(self) -> np.ndarray:
        """(Z,) the row of every entry"""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.starts))


Rows = np.ndarray | SparseRows  # M vectors, dense or sparse


def toarray(rows: Rows) -> np.ndarray:
    """(M, D) dense"""
    return rows.toarray() if isinstance(rows, SparseRows) else rows


def squared_lengths(rows: Rows) -> np.ndarray:
    """(M, D) -> (M,)"""
    if not isinstance(rows, SparseRows):
        return np.einsum("md,md->m", rows, rows)
    return SparseRows(rows.indices, rows.values**2, rows.starts, rows.shape[1]).row_sums()


def row_products(a: Rows, b: Rows) -> np.ndarray:
    """Row i of `a` times row i of `b`, both dense or both sparse: (M, D), (M, D) -> (M,)"""
    if not isinstance(a, SparseRows):
        return np.einsum("md,md->m", a, b)
    M, V = a.shape
    keys_a, keys_b = (side._rows() * V + side.indices for side in (a, b))  # (Z,) unique in each
    common, i, j = np.intersect1d(keys_a, keys_b, assume_unique=True, return_indices=True)
    return np.bincount(common // V, a.values[i] * b.values[j], M)


def products(a: Rows, b: Rows) -> np.ndarray:
    """Every row of `a` times every row of `b`, both dense or both sparse: (M, D), (N, D) -> (M, N)"""
    if not isinstance(b, SparseRows):
        return a @ b.T
    # An inverted index: for each column, which rows of `b` have it. A row of `a` visits those of its columns.
    index = b.T
    counts = np.diff(index.starts)  # (V,)
    out = np.empty((a.shape[0], b.shape[0]))
    for i, row in enumerate(out):
        own = slice(a.starts[i], a.starts[i + 1])
        lengths = counts[a.indices[own]]  # (z,)
        entries = _ranges(index.starts[a.indices[own]], lengths)  # (e,)
        terms = index.values[entries] * np.repeat(a.values[own], lengths)  # (e,)
        row[:] = np.bincount(index.indices[entries], terms, b.shape[0])  # (N,)
    return out


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """start, start + 1, … for each (start, length), one after the other: (z,), (z,) -> (Σ lengths,)"""
    ends = np.cumsum(lengths)  # (z,)
    return np.arange(lengths.sum()) + np.repeat(starts - (ends - lengths), lengths)
