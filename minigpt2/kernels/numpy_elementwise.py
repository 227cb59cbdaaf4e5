"""GELU, layernorm, softmax, cross-entropy on a CPU: one pass over memory, by blocks of rows in the cache.

The textbook formula writes each intermediate to memory and reads it back, so it waits for memory and not for
arithmetic. Here a block of rows goes through all steps, in place, before the next is touched. The functions
`…_rows` do that for rows that are given; the kernels below them, and those of the other files, hand them
their rows task by task.
"""

import functools

import numpy as np

from ..layers import (
    cross_entropy,
    gelu,
    gelu_backward,
    layernorm,
    layernorm_backward,
    softmax,
    softmax_backward,
)
from ..layers.cross_entropy import CrossEntropyContext
from ..layers.gelu import CUBIC, SQRT_2_OVER_PI, GeluContext
from ..layers.layernorm import LayerNormContext
from ..layers.softmax import SoftmaxContext
from . import kernel
from .buffers import empty
from .rows import blocks, even_blocks, for_each

# Numbers of a block. The three arrays of a forward pass stay in a second-level cache of 1 MB; a backward pass
# has up to seven, and half the numbers would stay there. But each array operation needs the interpreter, of
# which two threads have one, and smaller blocks take more operations: a training step is slower with them.
BLOCK = 1 << 16
TASK = 1 << 18  # numbers of one task: long enough that sharing them out costs little


def all_float32(*arrays: np.ndarray) -> bool:
    """Whether all are NumPy arrays of float32, which is what kernels are for."""
    return all(type(array) is np.ndarray and array.dtype == np.float32 for array in arrays)


def rows_of(numbers: int, width: int) -> int:
    """How many rows of this width hold so many numbers, at least 1."""
    return max(1, numbers // max(1, width))


@functools.lru_cache(maxsize=64)
def filled(n: int, value: float) -> np.ndarray:
    """float32 (n,), read-only: the factor that makes a product a sum or a mean"""
    y = np.full(n, value, np.float32)
    y.flags.writeable = False
    return y


# GELU. With c = sqrt(2/π):  u = c · 0.044715 · x · (x² + 1/0.044715),  u' = 3 · c · 0.044715 · x² + c


def gelu_rows(x: np.ndarray, y: np.ndarray, bias: np.ndarray | None = None) -> None:
    """x (n, F), y (n, F): y = gelu(x), or with a bias x += bias and then y = gelu(x)"""
    n, F = x.shape
    size = rows_of(BLOCK, F)
    scratch = empty((min(n, size), F))
    for rows in blocks(n, size):
        part, out = x[rows], y[rows]  # (m, F) each
        t = scratch[: len(part)]  # (m, F)
        if bias is not None:
            part += bias
        np.multiply(part, part, out=t)
        t += 1.0 / CUBIC
        t *= part
        t *= SQRT_2_OVER_PI * CUBIC
        np.tanh(t, out=t)
        t += 1.0
        t *= 0.5
        np.multiply(part, t, out=out)


def gelu_backward_rows(dy: np.ndarray, x: np.ndarray, y: np.ndarray | None, dx: np.ndarray) -> None:
    """dy, x, dx (n, F), and y = gelu(x) where it is at hand; dx may be dy

    With y = ½ · x · (1 + t):  y' = ½(1 + t) + ½ · x · (1 − t²) · u' = 1 + (1 − t) · (y · u' − ½)
    """
    n, F = x.shape
    size = rows_of(BLOCK, F)
    scratch = empty((2 if y is not None else 3, min(n, size), F))
    for rows in blocks(n, size):
        part, out = x[rows], dx[rows]  # (m, F) each
        t, s = scratch[0, : len(part)], scratch[1, : len(part)]  # (m, F) each
        np.multiply(part, part, out=s)  # x²
        np.add(s, 1.0 / CUBIC, out=t)
        t *= part
        t *= SQRT_2_OVER_PI * CUBIC
        np.tanh(t, out=t)
        s *= 3.0 * SQRT_2_OVER_PI * CUBIC
        s += SQRT_2_OVER_PI  # u'
        if y is None:
            bent = np.multiply(t, 0.5, out=scratch[2, : len(part)])  # (m, F)
            bent += 0.5
            bent *= part
        else:
            bent = y[rows]  # (m, F)
        s *= bent
        s -= 0.5
        np.subtract(1.0, t, out=t)
        s *= t
        s += 1.0
        np.multiply(dy[rows], s, out=out)


@kernel(gelu, np.ndarray)
def gelu_kernel(x: np.ndarray) -> tuple[np.ndarray, GeluContext]:
    if not all_float32(x) or x.ndim != 2:
        return NotImplemented
    y = empty(x.shape)  # (N, F)
    tasks = even_blocks(len(x), rows_of(TASK, x.shape[1]))
    for_each(lambda rows: gelu_rows(x[rows], y[rows]), tasks)
    return y, GeluContext(x)


@kernel(gelu_backward, np.ndarray)
def gelu_backward_kernel(dy: np.ndarray, ctx: GeluContext) -> np.ndarray:
    x = ctx.x
    if not all_float32(dy, x) or x.ndim != 2:
        return NotImplemented
    dx = empty(x.shape)  # (N, F)
    tasks = even_blocks(len(x), rows_of(TASK, x.shape[1]))
    for_each(lambda rows: gelu_backward_rows(dy[rows], x[rows], None, dx[rows]), tasks)
    return dx


# Layernorm. A row's mean is its product with a column of 1/D, which BLAS does at the speed of memory.


def layernorm_rows(
    x: np.ndarray,
    gain: np.ndarray,
    bias: np.ndarray,
    eps: float,
    y: np.ndarray,
    mean: np.ndarray,
    rstd: np.ndarray,
) -> None:
    """x, y (n, D), gain, bias (D,), mean, rstd (n, 1): fills y, mean and rstd"""
    n, D = x.shape
    average = filled(D, 1.0 / D)  # (D,)
    for rows in blocks(n, rows_of(BLOCK, D)):
        part, out, r = x[rows], y[rows], rstd[rows]  # (m, D), (m, D), (m, 1)
        np.matmul(part, average, out=mean[rows, 0])
        np.subtract(part, mean[rows], out=out)
        np.vecdot(out, out, out=r[:, 0])
        r /= D
        r += eps
        np.sqrt(r, out=r)
        np.divide(1.0, r, out=r)
        out *= r
        out *= gain
        out += bias


def layernorm_backward_rows(
    dy: np.ndarray,
    ctx: LayerNormContext,
    rows: slice,
    dx: np.ndarray,
    sums: np.ndarray,
    added: np.ndarray | None = None,
) -> None:
    """dy, dx (n, D) and the rows of the context that they are; sums (2, D) is filled with the sums of dy · x̂
    and dy over the rows. dx may be dy. With `added` (n, D): dx = … + added
    """
    x, mean, rstd = ctx.x[rows], ctx.mean[rows], ctx.rstd[rows]  # (n, D), (n, 1), (n, 1)
    n, D = x.shape
    size = rows_of(BLOCK, D)
    m = min(n, size)
    scratch = empty((3, m, D))
    average = filled(D, 1.0 / D)  # (D,)
    ones = filled(m, 1.0)  # (m,)
    sums[:] = 0.0
    for part in blocks(n, size):
        d, r, out = dy[part], rstd[part], dx[part]  # (m, D), (m, 1), (m, D)
        m = len(d)
        centred, product, dx_hat = scratch[:, :m]  # (m, D) each; x̂ = centred · rstd
        np.subtract(x[part], mean[part], out=centred)
        np.multiply(d, centred, out=product)
        sums[0] += r[:, 0] @ product
        sums[1] += ones[:m] @ d
        np.multiply(d, ctx.gain, out=dx_hat)
        stretch = np.vecdot(dx_hat, centred)[:, None]  # (m, 1)
        stretch *= r
        stretch *= r
        stretch /= D
        dx_hat -= (dx_hat @ average)[:, None]
        centred *= stretch
        dx_hat -= centred
        if added is None:
            np.multiply(dx_hat, r, out=out)
        else:
            dx_hat *= r
            np.add(dx_hat, added[part], out=out)


@kernel(layernorm, np.ndarray)
def layernorm_kernel(
    x: np.ndarray, gain: np.ndarray, bias: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, LayerNormContext]:
    if not all_float32(x, gain, bias) or x.ndim != 2:
        return NotImplemented
    N, D = x.shape
    y, mean, rstd = empty((N, D)), empty((N, 1)), empty((N, 1))

    def task(rows: slice) -> None:
        layernorm_rows(x[rows], gain, bias, eps, y[rows], mean[rows], rstd[rows])

    for_each(task, even_blocks(N, rows_of(TASK, D)))
    return y, LayerNormContext(x, mean, rstd, gain)


@kernel(layernorm_backward, np.ndarray)
def layernorm_backward_kernel(
    dy: np.ndarray, ctx: LayerNormContext
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not all_float32(dy, ctx.x, ctx.gain):
        return NotImplemented
    N, D = ctx.x.shape
    dx = empty((N, D))
    tasks = even_blocks(N, rows_of(TASK, D))
    sums = empty((len(tasks), 2, D))

    def task(i: int) -> None:
        rows = tasks[i]
        layernorm_backward_rows(dy[rows], ctx, rows, dx[rows], sums[i])

    for_each(task, range(len(tasks)))
    dgain, dbias = sums.sum(axis=0)  # (D,), (D,)
    return dx, dgain, dbias


# Softmax.


def softmax_rows(x: np.ndarray) -> None:
    """x (…, T), in place"""
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)


def softmax_backward_rows(dy: np.ndarray, y: np.ndarray) -> None:
    """dy, y (…, T): dy becomes dx"""
    dy -= np.vecdot(dy, y)[..., None]
    dy *= y


@kernel(softmax, np.ndarray)
def softmax_kernel(x: np.ndarray) -> tuple[np.ndarray, SoftmaxContext]:
    if not all_float32(x) or x.ndim == 0 or x.size == 0:
        return NotImplemented
    y = empty(x.shape)  # (…, T)
    T = x.shape[-1]
    if x.ndim <= 2 or x.flags.c_contiguous:
        flat, source = y.reshape(-1, T), x.reshape(-1, T)  # (rows, T) each
    else:
        flat, source = y, x

    def task(rows: slice) -> None:
        for part in blocks(rows.stop - rows.start, rows_of(BLOCK, flat[0].size)):
            out = flat[rows][part]
            out[...] = source[rows][part]
            softmax_rows(out)

    for_each(task, even_blocks(len(flat), rows_of(TASK, flat[0].size)))
    return y, SoftmaxContext(y)


@kernel(softmax_backward, np.ndarray)
def softmax_backward_kernel(dy: np.ndarray, ctx: SoftmaxContext) -> np.ndarray:
    y = ctx.y
    if not all_float32(dy, y) or y.ndim == 0 or y.size == 0:
        return NotImplemented
    dx = empty(y.shape)  # (…, T)
    flat, d, p = (dx, dy, y) if y.ndim > 1 else (dx[None], dy[None], y[None])  # (…, T) each, 2 axes or more

    def task(rows: slice) -> None:
        for part in blocks(rows.stop - rows.start, rows_of(BLOCK, p[0].size)):
            out = flat[rows][part]
            out[...] = d[rows][part]
            softmax_backward_rows(out, p[rows][part])

    for_each(task, even_blocks(len(p), rows_of(TASK, p[0].size)))
    return dx


# Cross-entropy. Its backward is one product with a number: there is nothing to fuse.


@kernel(cross_entropy, np.ndarray)
def cross_entropy_kernel(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, CrossEntropyContext]:
    if not all_float32(logits) or logits.ndim != 2 or logits.size == 0 or len(targets) != len(logits):
        return NotImplemented
    M, V = logits.shape
    probabilities, log_probability = empty((M, V)), empty((M,))

    def task(rows: slice) -> None:
        for part in blocks(rows.stop - rows.start, rows_of(BLOCK, V)):
            out, x, target = probabilities[rows][part], logits[rows][part], targets[rows][part]  # (m, V), …
            np.subtract(x, x.max(axis=1, keepdims=True), out=out)
            chosen = out[np.arange(len(target)), target]  # (m,)
            np.exp(out, out=out)
            total = out.sum(axis=1, keepdims=True)  # (m, 1)
            np.subtract(chosen, np.log(total[:, 0]), out=log_probability[rows][part])
            out /= total

    for_each(task, even_blocks(M, rows_of(TASK, V)))
    return -log_probability.mean(), CrossEntropyContext(probabilities, targets)
