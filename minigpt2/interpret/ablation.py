"""What a head contributes: the sentence vectors without what it adds.

    attention(x) = z · W_out + b_out = Σ_h z_h · W_h + b_out        W_h: rows h·K to (h+1)·K of W_out

Leaving out one head's term is setting its rows of W_out to zero; everything after it is computed anew. The
bias stays: it belongs to no head. Michel, Levy, Neubig 2019, arXiv:1905.10650, equation 2 with ξ_h = 0.

No parameter is ever written to, so other threads may use the model meanwhile.
"""

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from ..backend import Array
from ..encoder import BATCH_TOKENS, Encoder
from ..layers.block import block
from ..layers.normalize import normalize
from ..model import GPT2
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
    x = next(islice(model.residual_stream(batch), layer, None))  # (N, D)
    x = _without_head(x, batch, model, layer, head)  # (N, D)
    return _vectors(encoder, model.forward_from(x, batch, layer + 1), batch)


def ablate_every_head(encoder: Encoder, texts: Sequence[str]) -> Array:
    """(L, H, B, D): entry [layer, head] is `ablate_head(encoder, texts, layer, head)`.

    Up to the head that is left out, the stream is the whole model's. So one forward pass leaves an altered
    copy of its stream behind at each head, and takes all copies along: later blocks run once, on many rows,
    instead of once for each head before them.
    """
    model, xp = encoder.model, encoder.backend.xp
    L, H, D = model.config.L, model.config.H, model.config.D
    _, batch = read(encoder, texts)
    altered = xp.empty((0, batch.N, D), dtype=encoder.backend.dtype)  # (i·H, N, D) as block i finds them
    for i, x in zip(range(L), model.residual_stream(batch), strict=False):
        weights = model.parameters.subset(f"h.{i}.")
        altered = _on_copies(lambda x, of, w=weights: block(x, w, of, model.config)[0], altered, batch)
        new = xp.stack([_without_head(x, batch, model, i, head) for head in range(H)])  # (H, N, D)
        altered = xp.concatenate([altered, new])  # ((i+1)·H, N, D)
    vectors = _on_copies(
        lambda x, of: _vectors(encoder, model.forward_from(x, of, L), of), altered, batch
    )  # (L·H, B, D)
    return vectors.reshape(L, H, batch.B, D)


def _without_head(x: Array, batch: TokenBatch, model: GPT2, layer: int, head: int) -> Array:
    """What leaves a block if one head adds nothing: (N, D) -> (N, D)"""
    weights, K = model.parameters.subset(f"h.{layer}."), model.config.K
    w_out = weights["attn.c_proj.weight"].copy()  # (D, D)
    w_out[head * K : (head + 1) * K] = 0.0
    return block(x, weights | {"attn.c_proj.weight": w_out}, batch, model.config)[0]


def _on_copies(run: Callable[[Array, TokenBatch], Array], x: Array, batch: TokenBatch) -> Array:
    """`run` on n copies of a batch, as many at once as fill a pass: (n, N, D) -> (n, N or B, D)"""
    n, N, D = x.shape
    together = max(1, BATCH_TOKENS["cpu" if batch.xp is np else "cuda"] // max(1, N))
    results = [x[:0]]  # so that no copies are an empty array too
    for start in range(0, n, together):
        some = x[start : start + together]  # (m, N, D)
        lengths = np.tile(batch.lengths, len(some))  # (m·B,)
        # Where a block begins, the ids have done their work: only the lengths are read.
        copies = TokenBatch(FlatSentences(np.zeros(len(some) * N, np.int64), lengths), batch.xp)
        y = run(some.reshape(-1, D), copies)  # (m·N or m·B, D)
        results.append(y.reshape(len(some), -1, D))
    return batch.xp.concatenate(results[1:] or results)


def _vectors(encoder: Encoder, hidden: Array, batch: TokenBatch) -> Array:
    """(N, D) -> (B, D)"""
    vectors, _ = pooled(encoder, hidden, batch)  # (B, D)
    return normalize(vectors)[0] if encoder.settings.normalize else vectors
