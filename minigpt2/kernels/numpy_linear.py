"""Linear layers on a CPU: products by blocks of rows, the bias added while a block is in the cache.

On the way back each weight gradient is one product over all rows. It is computed in two halves, which are two
tasks: each is whole in itself, so nothing has to be added up.
"""

import numpy as np

from ..layers import linear, linear_backward
from ..layers.linear import LinearContext
from . import kernel
from .buffers import empty
from .numpy_elementwise import all_float32, filled
from .rows import Task, call, even_blocks, for_each

# Rows of a product that is one task, at most, so that what it makes stays in the cache. A product of far
# fewer is slow, since BLAS arranges the weights anew for each: FEW_ROWS are not divided.
ROWS = 640
FEW_ROWS = 64


def product_blocks(N: int) -> list[slice]:
    """The rows 0 … N−1 as the tasks of a product"""
    return even_blocks(N, min(ROWS, max(FEW_ROWS, -(-N // 2))))


def linear_rows(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, y: np.ndarray) -> None:
    """(n, in), (in, out), (out,): fills y (n, out)"""
    np.matmul(x, weight, out=y)
    y += bias


def weight_gradient(x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, list[Task]]:
    """(N, in), (N, out): an array for dweight (in, out), and the tasks that fill it"""
    dweight = empty((x.shape[1], dy.shape[1]))

    def fill(row: slice, column: slice) -> Task:
        return lambda: np.matmul(x[:, row].T, dy[:, column], out=dweight[row, column])

    rows, columns = dweight.shape
    whole = slice(None)
    if columns >= rows:  # BLAS is faster on halves of the longer side
        return dweight, [fill(whole, half) for half in even_blocks(columns, -(-columns // 2))]
    return dweight, [fill(half, whole) for half in even_blocks(rows, -(-rows // 2))]


def bias_gradient(dy: np.ndarray) -> tuple[np.ndarray, Task]:
    """(N, out): an array for dbias (out,), and the task that fills it with the sums over the rows"""
    dbias = empty((dy.shape[1],))
    return dbias, lambda: np.matmul(filled(len(dy), 1.0), dy, out=dbias)


@kernel(linear, np.ndarray)
def linear_kernel(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, LinearContext]:
    if not all_float32(x, weight, bias) or x.ndim != 2:
        return NotImplemented
    N = len(x)
    y = empty((N, weight.shape[1]))  # (N, out)
    for_each(lambda rows: linear_rows(x[rows], weight, bias, y[rows]), product_blocks(N))
    return y, LinearContext(x, weight)


@kernel(linear_backward, np.ndarray)
def linear_backward_kernel(dy: np.ndarray, ctx: LinearContext) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, weight = ctx
    if not all_float32(dy, x, weight) or dy.ndim != 2:
        return NotImplemented
    N = len(dy)
    dx = empty((N, weight.shape[0]))  # (N, in)
    dweight, tasks = weight_gradient(x, dy)
    dbias, bias_task = bias_gradient(dy)

    def dx_rows(rows: slice) -> Task:
        return lambda: np.matmul(dy[rows], weight.T, out=dx[rows])

    for_each(call, [*tasks, *(dx_rows(rows) for rows in product_blocks(N)), bias_task])
    return dx, dweight, dbias
