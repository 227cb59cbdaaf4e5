"""Every layer as a pair of functions: `y, ctx = layer(x, …)` and `dx, … = layer_backward(dy, ctx)`.

Plain array mathematics that runs unchanged on NumPy and CuPy, in float32 and float64. Forward hands what
backward needs to its caller in a small named tuple; backward writes into neither `dy` nor `ctx`. Nothing is
remembered inside a layer, so any number of forward passes may be under way at once.
"""

from .attention import attend, attend_backward, attention, attention_backward
from .block import block, block_backward
from .cross_entropy import cross_entropy, cross_entropy_backward
from .dropout import dropout, dropout_again, dropout_backward
from .embedding import embedding, embedding_backward
from .gelu import gelu, gelu_backward
from .layernorm import layernorm, layernorm_backward
from .linear import linear, linear_backward
from .mlp import mlp, mlp_backward
from .normalize import normalize, normalize_backward
from .pooling import POOLINGS, pooling, pooling_backward
from .recomputed_block import recomputed_block, recomputed_block_backward
from .softmax import softmax, softmax_backward

__all__ = [
    "POOLINGS",
    "attend",
    "attend_backward",
    "attention",
    "attention_backward",
    "block",
    "block_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "dropout",
    "dropout_again",
    "dropout_backward",
    "embedding",
    "embedding_backward",
    "gelu",
    "gelu_backward",
    "layernorm",
    "layernorm_backward",
    "linear",
    "linear_backward",
    "mlp",
    "mlp_backward",
    "normalize",
    "normalize_backward",
    "pooling",
    "pooling_backward",
    "recomputed_block",
    "recomputed_block_backward",
    "softmax",
    "softmax_backward",
]
