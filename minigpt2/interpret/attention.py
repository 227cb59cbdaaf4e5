"""Who looks at whom: attention's pattern, and what kind of looking each head does.

    pattern[t, u]    the share of token t's attention that token u gets; row t sums to 1

    distance         mean over t of  Σ_u pattern[t, u] · |t − u|              in tokens
    entropy          mean over t of  − Σ_u pattern[t, u] · ln pattern[t, u]   in nats
    spread           entropy / the entropy of looking evenly at all that may be seen, from 0 to 1
    first            mean over t of  pattern[t, 0]
    previous         mean over t of  pattern[t, t − 1]
    itself           mean over t of  pattern[t, t]

The means leave out token 0: in a causal model it sees nothing but itself. Heads that look at the token before
were described by Clark et al. 2019, arXiv:1906.04341, section 3, who also use the entropy; that idle heads
rest on the first token by Vig, Belinkov 2019, arXiv:1906.04284.
"""

from typing import NamedTuple

import numpy as np

from ..backend import Array, array_module, asarray
from .checks import require_index
from .look import Look


class AttentionSummary(NamedTuple):
    """For every head of every layer, each (L, H): the quantities of the table above."""

    distance: Array
    entropy: Array
    spread: Array
    first: Array
    previous: Array
    itself: Array


def attention(look: Look, layer: int, head: int | None = None) -> Array:
    """The pattern of one head, (T, T), or of all heads of a layer, (H, T, T).

    Raises UsageError for a layer or a head that the model does not have.
    """
    config = look.encoder.model.config
    layer = require_index("layer", layer, config.L)
    pattern = look.cache[f"blocks.{layer}.attn.pattern"][0]  # (H, T, T)
    return pattern if head is None else pattern[require_index("head", head, config.H, "each layer")]


def attention_summary(look: Look) -> AttentionSummary:
    """What each head does with this text. A text of one token has one row, and that is what counts."""
    config = look.encoder.model.config
    pattern = [attention(look, layer) for layer in range(config.L)]  # L × (H, T, T)
    xp = array_module(pattern[0])
    pattern = xp.stack(pattern)  # (L, H, T, T)
    T = pattern.shape[-1]
    places = np.arange(T)
    distances = asarray(np.abs(places[:, None] - places), xp, pattern.dtype)  # (T, T)
    surprise = -xp.log(xp.where(pattern > 0.0, pattern, 1.0))  # (L, H, T, T)  0 · ln 0 counts as 0

    rows = slice(1, None) if T > 1 else slice(None)
    visible = places + 1 if config.causal else np.full(T, T)  # (T,) how many tokens each may see
    even = float(np.log(visible[rows]).mean())  # nats; 0 for one token
    first = pattern[:, :, rows, 0].mean(axis=2)  # (L, H)
    itself = xp.diagonal(pattern, axis1=2, axis2=3)[:, :, rows].mean(axis=2)  # (L, H)
    before = xp.diagonal(pattern, offset=-1, axis1=2, axis2=3)  # (L, H, T−1)
    previous = before.mean(axis=2) if T > 1 else xp.zeros_like(first)  # (L, H)
    distance = (pattern * distances).sum(axis=3)[:, :, rows].mean(axis=2)  # (L, H)
    entropy = (pattern * surprise).sum(axis=3)[:, :, rows].mean(axis=2)  # (L, H)
    spread = entropy / (even or 1.0)  # (L, H)
    return AttentionSummary(distance, entropy, spread, first, previous, itself)
