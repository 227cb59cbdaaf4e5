"""How a sentence's vector comes about: every hidden state, pooled as the last one is.

    vectors[0]       the embedding rows, pooled: a bag of words with places
    vectors[i]       what leaves block i − 1
    vectors[L]       after the last layernorm: what `encode` gives

The similarity of two sentences layer by layer is `(vectors[:, 0] * vectors[:, 1]).sum(1)`.
"""

from ..backend import Array
from ..encoder import Encoder
from ..layers.normalize import normalize
from ..ragged import TokenBatch
from .pooled import pooled


def layer_vectors(encoder: Encoder, batch: TokenBatch, *, normalized: bool = True) -> Array:
    """B sentences -> (L+1, B, D). `normalized`: every vector of length 1 (an empty sentence's stays zero).

    `batch` as in `pooled`. Raises DataError for a batch that does not fit the model.
    """
    vectors = [
        pooled(encoder, state, batch)[0] for state in encoder.model.hidden_states(batch)
    ]  # L+1 × (B, D)
    if normalized:
        vectors = [normalize(of_layer)[0] for of_layer in vectors]
    return encoder.backend.xp.stack(vectors)  # (L+1, B, D)
