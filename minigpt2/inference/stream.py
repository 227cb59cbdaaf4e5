"""The residual stream x (N, D): what enters it, what is added to it, and what the layernorms read."""

import numpy as np

from ..config import GPT2Config
from ..float16 import float32_of
from .folding import FoldedWeights
from .workspace import Workspace


def embed(ids: np.ndarray, positions: np.ndarray, weights: FoldedWeights, x: np.ndarray) -> None:
    """x (N, D) = wte[ids] + wpe[positions], centred"""
    np.add(float32_of(weights.wte[ids]), weights.wpe[positions], out=x)
    centre(x)


def centre(x: np.ndarray) -> None:
    """Subtract from each row of x (N, D) its mean."""
    x -= np.matmul(x, np.full(x.shape[1], 1.0 / x.shape[1], x.dtype))[:, None]


def normalise(
    x: np.ndarray, a: np.ndarray | None, carrier: int, rstd: np.ndarray, space: Workspace, config: GPT2Config
) -> None:
    """rstd (N,) = 1 / sqrt(mean(x²) + eps); a (N, D) = x · rstd, with a 1 in the carrier's column, or None"""
    for start in range(0, len(x), space.block_rows):
        rows = slice(start, start + space.block_rows)
        _normalise_rows(x[rows], None if a is None else a[rows], carrier, rstd[rows], config)


def add(
    x: np.ndarray,
    update: np.ndarray,
    bias: np.ndarray,
    a: np.ndarray | None,
    carrier: int,
    rstd: np.ndarray,
    space: Workspace,
    config: GPT2Config,
) -> None:
    """x += update + bias, and what the next sublayer reads: rstd (N,), and a (N, D) unless it is None"""
    for start in range(0, len(x), space.block_rows):
        rows = slice(start, start + space.block_rows)
        block = x[rows]
        block += update[rows]
        block += bias
        _normalise_rows(block, None if a is None else a[rows], carrier, rstd[rows], config)


def _normalise_rows(
    x: np.ndarray, a: np.ndarray | None, carrier: int, rstd: np.ndarray, config: GPT2Config
) -> None:
    """The same for a block of rows that stays in the cache: x and a (r, D), rstd (r,)"""
    np.vecdot(x, x, out=rstd)
    rstd *= 1.0 / config.D
    rstd += config.layer_norm_epsilon
    np.sqrt(rstd, out=rstd)
    np.reciprocal(rstd, out=rstd)
    if a is not None:
        np.multiply(x, rstd[:, None], out=a)
        a[:, carrier] = 1.0
