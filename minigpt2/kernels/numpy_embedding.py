"""Token and position embedding on a CPU: on the way back, rows of the same id are summed up side by side.

`np.add.at` goes to the table once for each token. Here the tokens are sorted by their id, each run of equal
ids is summed (`np.add.reduceat`), and each row of the table that was looked up is written once. The sort
keeps the order of equal ids, so the sums come out the same every time.
"""

import numpy as np

from ..layers import embedding, embedding_backward
from ..layers.embedding import EmbeddingContext
from ..model import add_embedding_gradient
from . import kernel
from .buffers import empty
from .numpy_elementwise import all_float32


@kernel(embedding, np.ndarray)
def embedding_kernel(
    ids: np.ndarray, positions: np.ndarray, wte: np.ndarray, wpe: np.ndarray
) -> tuple[np.ndarray, EmbeddingContext]:
    if (
        wte.dtype != np.float32
        or wpe.dtype != np.float32
        or not _in_range(ids, positions, wte.shape, wpe.shape)
    ):
        return NotImplemented  # what is out of range is the explicit function's to refuse, or to count back
    y, of_position = empty((len(ids), wte.shape[1])), empty((len(ids), wte.shape[1]))  # (N, D) each
    np.take(wte, ids, axis=0, out=y, mode="clip")
    y += np.take(wpe, positions, axis=0, out=of_position, mode="clip")
    return y, EmbeddingContext(ids, positions, wte.shape, wpe.shape)


@kernel(embedding_backward, np.ndarray)
def embedding_backward_kernel(dy: np.ndarray, ctx: EmbeddingContext) -> tuple[np.ndarray, np.ndarray]:
    if not all_float32(dy) or not _in_range(*ctx):
        return NotImplemented
    dwte, dwpe = empty(ctx.wte_shape), empty(ctx.wpe_shape)  # (V, D), (P, D)
    dwte[:] = 0.0
    dwpe[:] = 0.0
    add_rows(dwte, ctx.ids, dy)
    add_rows(dwpe, ctx.positions, dy)
    return dwte, dwpe


@kernel(add_embedding_gradient, np.ndarray)
def add_embedding_gradient_kernel(
    dx: np.ndarray, ctx: EmbeddingContext, dwte: np.ndarray, dwpe: np.ndarray
) -> None:
    if not all_float32(dx, dwte, dwpe) or not _in_range(*ctx):
        return NotImplemented
    add_rows(dwte, ctx.ids, dx)
    add_rows(dwpe, ctx.positions, dx)
    return None


def add_rows(table: np.ndarray, ids: np.ndarray, rows: np.ndarray) -> None:
    """(V, D), (N,), (N, D): table[ids[n]] += rows[n] for every n, also where an id comes several times

    Ids lie in 0 … V−1: of two names of the same row, 0 and −V, one would be lost.
    """
    if len(ids) == 0:
        return
    order = np.argsort(ids, kind="stable")  # (N,)
    in_order = ids[order]  # (N,)
    starts = np.flatnonzero(np.diff(in_order, prepend=in_order[0] - 1))  # (U,) where a new id begins
    by_id = np.take(rows, order, axis=0, out=empty(rows.shape), mode="clip")  # (N, D)
    sums = np.add.reduceat(by_id, starts, axis=0, out=empty((len(starts), rows.shape[1])))  # (U, D)
    table[in_order[starts]] += sums


def _in_range(
    ids: np.ndarray, positions: np.ndarray, wte_shape: tuple[int, int], wpe_shape: tuple[int, int]
) -> bool:
    """Whether ids and positions are (N,) and each is that of a row, none counted from the end."""
    return all(
        index.ndim == 1 and (index.size == 0 or (index.min() >= 0 and index.max() < shape[0]))
        for index, shape in ((ids, wte_shape), (positions, wpe_shape))
    )
