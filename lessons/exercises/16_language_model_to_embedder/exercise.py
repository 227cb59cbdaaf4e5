"""The gradient that turns a language model into an embedder.

    sentences of both sides, 2·M of them, as ONE batch
    hidden  = model(batch)                        (N, D)
    pooled  = pooling(hidden)                     (2·M, D)        one vector a sentence
    unit    = normalize(pooled)                   (2·M, D)        length 1
    loss    = info_nce(unit[:M], unit[M:])        first sides against second sides

`embedding_loss` returns the loss and adds the gradient of every parameter into `gradients`: back through
all four, in the opposite order, and none of them may be skipped. All functions come from the package, each
with its backward: `pooling`, `normalize` in `minigpt2.layers`, `info_nce` in `minigpt2.training.losses`,
and

    hidden, ctx = model.forward(batch, keep=True)         model.backward(dhidden, ctx, gradients)
    loss, ctx = info_nce(a, b)                            da, db, _ = info_nce_backward(1.0, ctx)

The third of the last line would be the gradient of extra negatives, of which there are none here.

The package: `vector_gradients` in `minigpt2/training/gradients.py`.
"""

import numpy as np

from minigpt2 import TokenBatch
from minigpt2.layers import normalize, normalize_backward, pooling, pooling_backward
from minigpt2.model import GPT2
from minigpt2.parameters import Parameters
from minigpt2.training.losses import info_nce, info_nce_backward


def embedding_loss(
    model: GPT2, first: list[list[int]], second: list[list[int]], gradients: Parameters, kind: str = "mean"
) -> float:
    """M sentences and their M partners, as token ids -> the loss; adds into `gradients`"""
    raise NotImplementedError("your turn")
