"""A few tokens at a time, where a product takes as long as it takes to read its weight.

Row by row, 12 rows · W read W at 12 GB/s on the machine this was measured on; with 64 columns of W lying
together they read it at 23. And with large weights two cores read more than one: so a block's heads and the
MLP's wide columns are cut into parts that need nothing of each other until their updates are added up,

    update = Σ_p attend(a · W_qkv[p]) · W_out[p]            p: some of the heads
    update = Σ_p gelu(a · W_fc[p]) · W_proj[p]              p: some of the F columns

which is how Shoeybi et al. 2019 (Megatron-LM), arXiv:1909.08053, section 3, cut them over GPUs. The parts do
not depend on the number of threads, so neither does a vector. All this is a second copy of the weights.
"""

from typing import NamedTuple

import numpy as np

from ..config import GPT2Config
from ..kernels.rows import for_each
from .attention import ChunkAttention
from .chunks import Chunk
from .folding import FoldedBlock, FoldedWeights
from .plan import gelu, pool
from .stream import add, embed, normalise
from .workspace import Workspace, aligned

COLUMNS = 64  # of a weight that lie together

# Weights up to so many bytes stay in a core's caches from one call to the next, and are not cut into parts.
UNCUT = 64 << 20

# Columns of the MLP that a part has, as near as may be.
PART_COLUMNS = 768


class Part(NamedTuple):
    """Some heads and some of the MLP's columns of one block. A matrix is (out/64, in, 64)."""

    qkv: np.ndarray  # of 3·D/P columns
    out: np.ndarray  # D/P rows, D columns
    fc: np.ndarray  # F/P columns
    proj: np.ndarray  # F/P rows, D columns


class ShortPlan:
    """The weights in parts, and the forward pass of a few tokens. Any number of threads may use it."""

    def __init__(self, weights: FoldedWeights) -> None:
        """Copies the matrices; `parts_of` says whether it can."""
        self.weights = weights
        self.parts = parts_of(weights.config, weights.nbytes)
        self.blocks = [
            [_part(block, weights.config, p, self.parts) for p in range(self.parts)]
            for block in weights.blocks
        ]

    def run_chunk(
        self, chunk: Chunk, spaces: list[Workspace], pooling: str, skipped: int, into: np.ndarray
    ) -> None:
        """Write the pooled vector of each of the chunk's b sentences into `into` (b, D), zeros so far.

        spaces   one for each part
        """
        weights, config, space = self.weights, self.weights.config, spaces[0]
        N, D = len(chunk.ids), config.D
        x, a, rstd = space.x[:N], aligned((N, D)), space.rstd[:N]  # (N, D), (N, D), (N,)
        updates = aligned((self.parts, N, D))  # (P, N, D)
        following = [block.qkv_carrier for block in weights.blocks[1:]]
        d = D // self.parts  # columns of a part's heads
        attentions = [
            ChunkAttention(chunk, config, of_part, aligned((N, 3 * d)), aligned((chunk.P, d)))
            for of_part in spaces
        ]
        wides = [aligned((N, config.F // self.parts)) for _ in spaces]  # (N, F/P) each

        embed(chunk.ids, chunk.positions, weights, x)
        normalise(x, a, weights.blocks[0].qkv_carrier, rstd, space, config)
        for block, parts, carrier in zip(weights.blocks, self.blocks, [*following, None], strict=True):

            def of_heads(p: int, parts: list[Part] = parts) -> None:
                part, attention = parts[p], attentions[p]
                multiply(a, part.qkv, attention.qkv)
                attention.attend()
                heads = attention.heads  # (places, D/P)
                z = heads if chunk.places is None else heads[chunk.places]  # (N, D/P)
                multiply(z, part.out, updates[p])

            def of_mlp(p: int, parts: list[Part] = parts) -> None:
                part, wide = parts[p], wides[p]
                multiply(a, part.fc, wide)
                gelu(wide, spaces[p])
                multiply(wide, part.proj, updates[p])

            self._each(of_heads)
            add(x, _sum(updates), block.out_bias, a, block.fc_carrier, rstd, space, config)
            self._each(of_mlp)
            following_a = None if carrier is None else a
            add(x, _sum(updates), block.proj_bias, following_a, carrier or 0, rstd, space, config)
        pool(x, rstd, chunk, weights, pooling, skipped, into, space)

    def _each(self, run) -> None:
        if self.parts == 1:
            run(0)
        else:
            for_each(run, range(self.parts))


def parts_of(config: GPT2Config, nbytes: int) -> int:
    """In how many parts a model's blocks of `nbytes` bytes are cut; 0 if its widths do not allow columns."""
    D, H, F = config.D, config.H, config.F
    fitting = [p for p in range(1, H + 1) if H % p == 0 and D // p % COLUMNS == 0 and F % (p * COLUMNS) == 0]
    if not fitting or nbytes <= UNCUT:
        return min(fitting, default=0)
    return min(fitting, key=lambda p: abs(F // p - PART_COLUMNS))


def multiply(rows: np.ndarray, weight: np.ndarray, into: np.ndarray) -> None:
    """rows (n, in) · weight (out/64, in, 64) -> into (n, out)"""
    into = into.reshape(len(rows), len(weight), COLUMNS).transpose(1, 0, 2)  # (out/64, n, 64) a view
    np.matmul(rows, weight, out=into)


def _part(block: FoldedBlock, config: GPT2Config, p: int, parts: int) -> Part:
    D = config.D
    heads = slice(p * D // parts, (p + 1) * D // parts)
    wide = slice(p * config.F // parts, (p + 1) * config.F // parts)
    qkv = block.qkv.reshape(D, 3, D)[:, :, heads].reshape(D, 3 * D // parts)  # (D, 3·D/P)
    return Part(
        _in_columns(qkv),
        _in_columns(block.out[heads]),
        _in_columns(block.fc[:, wide]),
        _in_columns(block.proj[wide]),
    )


def _in_columns(weight: np.ndarray) -> np.ndarray:
    """(in, out) -> (out/64, in, 64)"""
    rows, columns = weight.shape
    result = aligned((columns // COLUMNS, rows, COLUMNS))
    result[...] = weight.reshape(rows, columns // COLUMNS, COLUMNS).transpose(1, 0, 2)
    return result


def _sum(updates: np.ndarray) -> np.ndarray:
    """(P, N, D) -> (N, D)"""
    return updates[0] if len(updates) == 1 else updates.sum(axis=0)
