"""Attention on a CPU: group by group of sentences of equal length, in pieces that stay in the cache.

    rows    = qkv[group]                     (m·T, 3·D) m sentences; a view where they lie together
    pattern = softmax(q · kᵀ / sqrt(K))      in place, in the array that the context keeps
    z       = pattern · v                    written past the heads' strides into merged rows: no copy

A piece is one task. Pieces depend on the batch alone.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from ..layers import attend, attend_backward
from ..layers.attention import AttendContext
from ..layers.dropout import DropoutContext, Generator, dropout_again, dropout_backward
from ..layers.softmax import SoftmaxContext
from ..ragged import TokenBatch
from . import kernel
from .buffers import empty
from .numpy_elementwise import all_float32, softmax_backward_rows, softmax_rows
from .rows import Task, blocks, call, for_each

PIECE = 1 << 17  # numbers of the rows of qkv, or of the pattern, that one piece has at most


class Piece(NamedTuple):
    """A few sentences of a group: which rows of the batch, and which of the group's patterns."""

    group: int
    sentences: slice  # within the group
    rows: slice | np.ndarray  # (m·T,)
    m: int
    T: int


def pieces_of(batch: TokenBatch, D: int, heads: int) -> list[Piece]:
    """All sentences of the batch, the longest first, so that no long one is left for the end"""
    pieces = []
    for number, group in reversed(list(enumerate(batch.groups_of_equal_length()))):
        most = max(1, PIECE // (group.T * max(3 * D, heads * group.T)))
        for sentences in blocks(group.n, most):
            rows, T = group.rows, group.T
            start, stop = sentences.start * T, sentences.stop * T
            if isinstance(rows, slice):
                rows = slice(rows.start + start, rows.start + stop)
            else:
                rows = rows[start:stop]
            pieces.append(Piece(number, sentences, rows, sentences.stop - sentences.start, T))
    return pieces


def attend_piece(
    qkv: np.ndarray,
    piece: Piece,
    heads: int,
    causal: bool,
    pattern: np.ndarray,
    dropped: DropoutContext,
    z: np.ndarray,
) -> None:
    """Fill the pattern (m, H, T, T) and the rows of z (N, D) of one piece."""
    q, k, v = _heads(_taken(qkv, piece), piece, heads, 3)  # (m, H, T, K) each
    np.matmul(q, k.swapaxes(2, 3), out=pattern)
    pattern *= 1.0 / math.sqrt(q.shape[-1])
    if causal:
        pattern += _hidden(1 << (piece.T - 1).bit_length())[: piece.T, : piece.T]
    softmax_rows(pattern)
    rows, apart = _to_fill(z, piece)  # (m·T, D)
    np.matmul(dropout_again(pattern, dropped), v, out=_heads(rows, piece, heads, 1)[0])
    if apart:
        z[piece.rows] = rows


def attend_backward_piece(
    dz: np.ndarray,
    qkv: np.ndarray,
    piece: Piece,
    heads: int,
    pattern: np.ndarray,
    dropped: DropoutContext,
    dqkv: np.ndarray,
) -> None:
    """Fill the rows of dqkv (N, 3·D) of one piece."""
    q, k, v = _heads(_taken(qkv, piece), piece, heads, 3)  # (m, H, T, K) each
    (dgathered,) = _heads(_taken(dz, piece), piece, heads, 1)  # (m, H, T, K)
    rows, apart = _to_fill(dqkv, piece)  # (m·T, 3·D)
    dq, dk, dv = _heads(rows, piece, heads, 3)  # (m, H, T, K) each
    np.matmul(dropout_again(pattern, dropped).swapaxes(2, 3), dgathered, out=dv)
    dpattern = np.matmul(dgathered, v.swapaxes(2, 3), out=empty(pattern.shape))  # (m, H, T, T)
    dpattern = dropout_backward(dpattern, dropped)
    softmax_backward_rows(dpattern, pattern)
    dpattern *= 1.0 / math.sqrt(q.shape[-1])
    np.matmul(dpattern, k, out=dq)
    np.matmul(dpattern.swapaxes(2, 3), q, out=dk)
    if apart:
        dqkv[piece.rows] = rows


def attend_tasks(
    qkv: np.ndarray,
    batch: TokenBatch,
    heads: int,
    causal: bool,
    rate: float,
    rng: Generator | None,
) -> tuple[np.ndarray, AttendContext, list[Task]]:
    """Arrays for z (N, D) and the context, and the tasks that fill them; dropout has been drawn already"""
    D = qkv.shape[1] // 3
    z = empty((len(qkv), D))  # (N, D)
    shapes = [(group.n, heads, group.T, group.T) for group in batch.groups_of_equal_length()]
    patterns = [empty(shape) for shape in shapes]  # (n, H, T, T) each
    dropped = [_draw(shape, rate, rng) for shape in shapes]

    def fill(piece: Piece) -> Task:
        pattern = patterns[piece.group][piece.sentences]  # (m, H, T, T)
        of_piece = _part_of(dropped[piece.group], piece.sentences)
        return lambda: attend_piece(qkv, piece, heads, causal, pattern, of_piece, z)

    tasks = [fill(piece) for piece in pieces_of(batch, D, heads)]
    softmaxes = [SoftmaxContext(pattern) for pattern in patterns]
    return z, AttendContext(qkv, batch, heads, softmaxes, dropped), tasks


def attend_backward_tasks(dz: np.ndarray, ctx: AttendContext) -> tuple[np.ndarray, list[Task]]:
    """An array for dqkv (N, 3·D), and the tasks that fill it"""
    dqkv = empty(ctx.qkv.shape)  # (N, 3·D)

    def fill(piece: Piece) -> Task:
        pattern = ctx.softmaxes[piece.group].y[piece.sentences]  # (m, H, T, T)
        of_piece = _part_of(ctx.dropouts[piece.group], piece.sentences)
        return lambda: attend_backward_piece(dz, ctx.qkv, piece, ctx.heads, pattern, of_piece, dqkv)

    return dqkv, [fill(piece) for piece in pieces_of(ctx.batch, dz.shape[1], ctx.heads)]


@kernel(attend, np.ndarray)
def attend_kernel(
    qkv: np.ndarray,
    batch: TokenBatch,
    heads: int,
    causal: bool = True,
    rate: float = 0.0,
    rng: Generator | None = None,
) -> tuple[np.ndarray, AttendContext]:
    if not all_float32(qkv):
        return NotImplemented
    z, ctx, tasks = attend_tasks(qkv, batch, heads, causal, rate, rng)
    for_each(call, tasks)
    return z, ctx


@kernel(attend_backward, np.ndarray)
def attend_backward_kernel(dz: np.ndarray, ctx: AttendContext) -> np.ndarray:
    if not all_float32(dz, ctx.qkv):
        return NotImplemented
    dqkv, tasks = attend_backward_tasks(dz, ctx)
    for_each(call, tasks)
    return dqkv


def _taken(x: np.ndarray, piece: Piece) -> np.ndarray:
    """The rows (m·T, …) of a piece"""
    if isinstance(piece.rows, slice):
        return x[piece.rows]
    return np.take(x, piece.rows, axis=0, out=empty((len(piece.rows), x.shape[1])), mode="clip")


def _to_fill(y: np.ndarray, piece: Piece) -> tuple[np.ndarray, bool]:
    """Where to write a piece's rows (m·T, …) of y, and whether they lie apart and must be put into y"""
    if isinstance(piece.rows, slice):
        return y[piece.rows], False
    return empty((len(piece.rows), y.shape[1])), True


def _heads(rows: np.ndarray, piece: Piece, heads: int, parts: int) -> np.ndarray:
    """(m·T, parts·D) -> (parts, m, H, T, K)"""
    return rows.reshape(piece.m, piece.T, parts, heads, -1).transpose(2, 0, 3, 1, 4)


@functools.lru_cache(maxsize=64)
def _hidden(T: int) -> np.ndarray:
    """(T, T): 0 where row i may see column j ≤ i, −inf where not; kept for powers of 2, to be cut"""
    hidden = np.triu(np.full((T, T), -np.inf, np.float32), 1)
    hidden.flags.writeable = False
    return hidden


def _draw(shape: tuple[int, ...], rate: float, rng: Generator | None) -> DropoutContext:
    """What `dropout` draws for an array of this shape"""
    if rng is None or rate == 0.0:
        return DropoutContext(None, 1.0)
    return DropoutContext(rng.random(shape, dtype=np.float32) >= rate, 1.0 / (1.0 - rate))


def _part_of(dropped: DropoutContext, sentences: slice) -> DropoutContext:
    return dropped if dropped.keep is None else DropoutContext(dropped.keep[sentences], dropped.scale)
