"""The weights of a block with everything folded in that does not depend on the input.

    layernorm, then W      x̂·gain + bias, then · W + b   =   x̂ · (gain·W) + (bias·W + b)
    1/sqrt(K)              scales the scores: into W_q and its bias
    the key's bias         adds the same to every score of a row, which softmax cannot see: dropped
    the value's bias       passes through the mean, whose weights sum to 1: into W_out's bias
    GELU's factors         with y = s·x and s³ = √(2/π)·0.044715, GELU is ½/s · y·(1 + tanh(y³ + c·y)): s goes
                           into W_fc and its bias, ½/s into W_proj, and c = √(2/π)/s is left
    the mean of a row      only layernorms read the residual stream, and they subtract it: so what is written
                           into the stream is centred beforehand, in W_out, W_proj and their biases, and
                           layernorm has no mean left to subtract
    the other biases       a centred row adds up to zero, so one of its numbers, a_c, is minus the sum of the
                           others: a · W = Σ_k≠c a_k · (W_k − W_c). Its place is free to carry a 1, and row c
                           of the weight the bias, which the product then adds by itself

Centring is Ashkboos et al. 2024 (SliceGPT), arXiv:2401.15024, section 3.1; the rest is plain algebra. What
remains of a layernorm is x · rstd with rstd = 1/sqrt(mean(x²) + eps), and a 1 at c.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..config import GPT2Config
from ..layers.gelu import CUBIC, SQRT_2_OVER_PI

GELU_SCALE = (SQRT_2_OVER_PI * CUBIC) ** (1 / 3)
GELU_LINEAR = SQRT_2_OVER_PI / GELU_SCALE


class FoldedBlock(NamedTuple):
    """One block's weights, float32 and contiguous."""

    qkv: np.ndarray  # (D, 3·D) for rows with a 1 at
    qkv_carrier: int
    out: np.ndarray  # (D, D) centred
    out_bias: np.ndarray  # (D,) centred
    fc: np.ndarray  # (D, F) for rows with a 1 at
    fc_carrier: int
    proj: np.ndarray  # (F, D) centred
    proj_bias: np.ndarray  # (D,) centred

    @property
    def nbytes(self) -> int:
        return sum(field.nbytes for field in self if isinstance(field, np.ndarray))


def fold_block(weights: Mapping[str, np.ndarray], config: GPT2Config) -> FoldedBlock:
    """`weights`: one block's, by the names that `parameters.subset("h.0.")` has. Makes copies."""
    D = config.D
    scale = 1.0 / math.sqrt(D // config.H)

    qkv, bias = weights["attn.c_attn.weight"], weights["attn.c_attn.bias"]  # (D, 3·D), (3·D,)
    bias = bias + weights["ln_1.bias"] @ qkv  # (3·D,)
    qkv = weights["ln_1.weight"][:, None] * qkv  # (D, 3·D)
    qkv[:, :D] *= scale
    q_bias = np.zeros(3 * D, qkv.dtype)  # (3·D,) keys and values have none left
    q_bias[:D] = bias[:D] * scale

    out = weights["attn.c_proj.weight"]  # (D, D)
    out_bias = weights["attn.c_proj.bias"] + bias[2 * D :] @ out  # (D,)

    fc = weights["mlp.c_fc.weight"]  # (D, F)
    fc_bias = (weights["mlp.c_fc.bias"] + weights["ln_2.bias"] @ fc) * GELU_SCALE  # (F,)
    fc = (weights["ln_2.weight"] * GELU_SCALE)[:, None] * fc  # (D, F)

    proj = centred(weights["mlp.c_proj.weight"])  # (F, D)
    proj *= 0.5 / GELU_SCALE
    out, out_bias, proj_bias = centred(out), centred(out_bias), centred(weights["mlp.c_proj.bias"])
    qkv, qkv_carrier = carrying(qkv, q_bias)
    fc, fc_carrier = carrying(fc, fc_bias)
    folded = (qkv, qkv_carrier, out, out_bias, fc, fc_carrier, proj, proj_bias)
    return FoldedBlock(*(f if isinstance(f, int) else np.ascontiguousarray(f, np.float32) for f in folded))


def centred(rows: np.ndarray) -> np.ndarray:
    """(…, D) -> (…, D): every row without its mean"""
    return rows - rows.mean(axis=-1, keepdims=True)


def carrying(weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, int]:
    """(D, E), (E,) -> (D, E) and c: a · weight + bias for centred a (N, D) is a · result, with a 1 at c of a

    c is the row of the smallest numbers, whose subtraction costs the others the least precision.
    """
    c = int(np.vecdot(weight, weight).argmin())
    result = weight - weight[c]
    result[c] = bias
    return result, c


class FoldedWeights(NamedTuple):
    """A whole model ready for inference."""

    config: GPT2Config
    wte: np.ndarray  # (V, D) as stored: float16 or 32, perhaps in a memory map; rows are centred when read
    wpe: np.ndarray  # (P, D)
    blocks: list[FoldedBlock]
    gain: np.ndarray  # (D,) of the last layernorm
    bias: np.ndarray  # (D,)

    @property
    def nbytes(self) -> int:
        """Bytes of the weights of all blocks."""
        return sum(block.nbytes for block in self.blocks)


def fold(
    parameters: Mapping[str, np.ndarray], config: GPT2Config, wte: np.ndarray, wpe: np.ndarray
) -> FoldedWeights:
    """All weights of a model. `parameters` gives arrays by name; each is asked for once, block by block.

    wte (V, D), wpe (P, D)   used where they are, not copied
    """
    blocks = [fold_block(_Part(parameters, f"h.{i}."), config) for i in range(config.L)]
    gain, bias = (np.array(parameters[name], np.float32) for name in ("ln_f.weight", "ln_f.bias"))
    return FoldedWeights(config, wte, wpe, blocks, gain, bias)


class _Part:
    """The entries of a mapping whose names begin with a prefix, looked up when asked for."""

    def __init__(self, mapping: Mapping[str, np.ndarray], prefix: str) -> None:
        self.mapping, self.prefix = mapping, prefix

    def __getitem__(self, name: str) -> np.ndarray:
        return self.mapping[self.prefix + name]
