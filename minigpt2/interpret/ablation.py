"""What a head contributes: the sentence vectors without what it adds.

    attention(x) = z · W_out + b_out = Σ_h z_h · W_h + b_out        W_h: rows h·K to (h+1)·K of W_out

Leaving out one head's term is setting its rows of W_out to zero; everything after it is computed anew. The
bias stays: it belongs to no head. Michel, Levy, Neubig 2019, arXiv:1905.10650, equation 2 with ξ_h = 0.

No parameter is ever written to, so other threads may use the model meanwhile.
"""

import functools
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from ..backend import Array
from ..config import GPT2Config
from ..encoder import BATCH_TOKENS, Encoder
from ..layers.attention import attend
from ..layers.block import block
from ..layers.gelu import gelu
from ..layers.layernorm import layernorm
from ..layers.linear import linear
from ..layers.normalize import normalize
from ..ragged import FlatSentences, TokenBatch
from .checks import require_index
from .look import read
from .pooled import pooled


def ablate_head(encoder: Encoder, texts: Sequence[str], layer: int, head: int) -> Array:
    """B texts -> (B, D), as `encode` gives them, without what one head adds to the residual stream.

    Raises UsageError for a head that the model does not have, DataError for a text without tokens.
    """
    model = encoder.model
    layer = require_index("layer", layer, model.config.L)
    head = require_index("head", head, model.config.H, "each layer")
    _, batch = read(encoder, texts)
    weights = model.parameters.subset(f"h.{layer}.")
    w_out = weights["attn.c_proj.weight"].copy()  # (D, D)
    w_out[head * model.config.K : (head + 1) * model.config.K] = 0.0
    x = next(islice(model.residual_stream(batch), layer, None))  # (N, D)
    x, _ = block(x, {**weights, "attn.c_proj.weight": w_out}, batch, model.config)  # (N, D)
    return _vectors(encoder, model.forward_from(x, batch, layer + 1), batch)


def ablate_every_head(encoder: Encoder, texts: Sequence[str]) -> Array:
    """(L, H, B, D): entry [layer, head] is `ablate_head(encoder, texts, layer, head)`.

    A stream without a head of layer i is the whole one up to that head. So one forward pass runs through the
    model, leaves H altered copies of its stream behind at each layer, and takes all copies along: L blocks
    are called instead of L·H·L, and each works on many rows at once.
    """
    model, xp = encoder.model, encoder.backend.xp
    L, H, D = model.config.L, model.config.H, model.config.D
    _, batch = read(encoder, texts)
    altered = xp.empty((0, batch.N, D), dtype=encoder.backend.dtype)  # (i·H, N, D) what block i finds
    for i, x in zip(range(L), model.residual_stream(batch), strict=False):
        weights = model.parameters.subset(f"h.{i}.")
        run = functools.partial(_block, weights=weights, config=model.config)
        altered = xp.concatenate(
            [_on_copies(run, altered, batch), _without_each_head(x, weights, batch, encoder)]
        )
    vectors = _on_copies(
        lambda x, batch: _vectors(encoder, model.forward_from(x, batch, L), batch), altered, batch
    )  # (L·H, B, D)
    return vectors.reshape(L, H, batch.B, D)


def _block(x: Array, batch: TokenBatch, weights: dict[str, Array], config: GPT2Config) -> Array:
    """(N, D) -> (N, D)"""
    return block(x, weights, batch, config)[0]


def _without_each_head(x: Array, weights: dict[str, Array], batch: TokenBatch, encoder: Encoder) -> Array:
    """What leaves a block if one head adds nothing: (N, D) -> (H, N, D), one entry for each head"""
    config, xp = encoder.model.config, encoder.backend.xp
    eps, H, K = config.layer_norm_epsilon, config.H, config.K
    a, _ = layernorm(x, weights["ln_1.weight"], weights["ln_1.bias"], eps)  # (N, D)
    qkv, _ = linear(a, weights["attn.c_attn.weight"], weights["attn.c_attn.bias"])  # (N, 3·D)
    z, _ = attend(qkv, batch, H, config.causal)  # (N, D)
    others = xp.repeat(1 - xp.eye(H, dtype=z.dtype), K, axis=1)  # (H, D) row h is 0 at head h's columns

    def rest(z: Array, _: TokenBatch) -> Array:
        """(n·N, D) -> (n·N, D): the block from the heads' values on, for n copies of the batch"""
        b, _ = linear(z, weights["attn.c_proj.weight"], weights["attn.c_proj.bias"])  # (n·N, D)
        h = b + xp.tile(x, (len(z) // max(1, len(x)), 1))  # (n·N, D)
        c, _ = layernorm(h, weights["ln_2.weight"], weights["ln_2.bias"], eps)  # (n·N, D)
        wide, _ = linear(c, weights["mlp.c_fc.weight"], weights["mlp.c_fc.bias"])  # (n·N, F)
        d, _ = linear(gelu(wide)[0], weights["mlp.c_proj.weight"], weights["mlp.c_proj.bias"])  # (n·N, D)
        return h + d

    return _on_copies(rest, z * others[:, None, :], batch)  # (H, N, D)


def _on_copies(run: Callable[[Array, TokenBatch], Array], x: Array, batch: TokenBatch) -> Array:
    """`run` on n copies of a batch, as many at once as fill a pass: (n, N, D) -> (n, N or B, D)"""
    n, N, D = x.shape
    together = max(1, BATCH_TOKENS["cpu" if batch.xp is np else "cuda"] // max(1, N))
    ids = np.zeros(N, np.int64)  # where a block begins, the ids have done their work
    results = [x[:0]]
    for some in (x[start : start + together] for start in range(0, n, together)):  # (m, N, D)
        copies = FlatSentences(np.tile(ids, len(some)), np.tile(batch.lengths, len(some)))
        y = run(some.reshape(-1, D), TokenBatch(copies, batch.xp))  # (m·N or m·B, D)
        results.append(y.reshape(len(some), -1, D))
    return batch.xp.concatenate(results[1:] or results)


def _vectors(encoder: Encoder, hidden: Array, batch: TokenBatch) -> Array:
    """(N, D) -> (B, D)"""
    vectors, _ = pooled(encoder, hidden, batch)  # (B, D)
    return normalize(vectors)[0] if encoder.settings.normalize else vectors
