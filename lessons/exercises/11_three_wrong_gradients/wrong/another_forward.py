# expect: the very first loss differs, so forward is not the same
from typing import NamedTuple

import numpy as np


class Kept(NamedTuple):
    """What a backward needs."""

    arrays: tuple


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, Kept]:
    """(N, in), (in, out), (out,) -> (N, out)"""
    return x @ weight + bias, Kept((x, weight))


def linear_backward(dy: np.ndarray, ctx: Kept) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, out) -> dx (N, in), dweight (in, out), dbias (out,)"""
    x, weight = ctx.arrays
    return dy @ weight.T, x.T @ dy, dy.sum(axis=0)


def gelu(x: np.ndarray) -> tuple[np.ndarray, Kept]:
    """(N, F) -> (N, F)"""
    return np.maximum(x, 0.0), Kept((x,))


def gelu_backward(dy: np.ndarray, ctx: Kept) -> np.ndarray:
    """(N, F) -> dx (N, F)"""
    (x,) = ctx.arrays
    return dy * (x > 0)


def embedding(
    ids: np.ndarray, positions: np.ndarray, wte: np.ndarray, wpe: np.ndarray
) -> tuple[np.ndarray, Kept]:
    """(N,), (N,), (V, D), (P, D) -> (N, D)"""
    return wte[ids] + wpe[positions], Kept((ids, positions, wte.shape, wpe.shape))


def embedding_backward(dy: np.ndarray, ctx: Kept) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) -> dwte (V, D), dwpe (P, D)"""
    ids, positions, wte_shape, wpe_shape = ctx.arrays
    dwte, dwpe = np.zeros(wte_shape), np.zeros(wpe_shape)
    np.add.at(dwte, ids, dy)
    np.add.at(dwpe, positions, dy)
    return dwte, dwpe
