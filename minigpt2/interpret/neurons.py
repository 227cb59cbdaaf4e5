"""Which neurons a text excites: the MLP's wide rows after GELU.

A block's MLP reads each token's row with F neurons and writes back what they say; Geva et al. 2021,
arXiv:2012.14913, read them as keys that recognise a pattern and values that answer it.
"""

from typing import NamedTuple

from ..backend import Array, array_module
from .checks import require_count, require_index
from .look import Look


class Neuron(NamedTuple):
    """One neuron of one layer, and the token that excites it most."""

    layer: int
    neuron: int  # 0 … F−1
    row: int  # which token of the text, from 0
    token: str
    value: float  # after GELU


def neurons(look: Look, layer: int | None = None, k: int = 10) -> list[Neuron]:
    """The k neurons with the highest value at any token, highest first; of one layer or (None) of all.

    Each neuron comes once, with its best token. Raises UsageError for a layer that the model does not have.
    """
    config = look.encoder.model.config
    layers = range(config.L) if layer is None else [require_index("layer", layer, config.L)]
    posts = [look.cache[f"blocks.{i}.mlp.post"] for i in layers]  # each (T, F)
    xp = array_module(posts[0])
    values = xp.concatenate([post.max(axis=0) for post in posts])  # (n·F,) for n layers
    rows = xp.concatenate([post.argmax(axis=0) for post in posts])  # (n·F,)
    best = xp.argsort(-values, kind="stable")[: require_count("k", k)]  # (k,)
    return [
        Neuron(layers[place // config.F], place % config.F, row, look.tokens[row], value)
        for place, row, value in zip(best.tolist(), rows[best].tolist(), values[best].tolist(), strict=True)
    ]


def neuron_tokens(look: Look, layer: int, neuron: int) -> Array:
    """What one neuron says at every token: (T,). Raises UsageError for one that the model does not have."""
    config = look.encoder.model.config
    layer = require_index("layer", layer, config.L)
    neuron = require_index("neuron", neuron, config.F, "each layer")
    return look.cache[f"blocks.{layer}.mlp.post"][:, neuron]  # (T,)
