# expect: the gradients that were there are overwritten

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
    M = len(first)
    batch = TokenBatch(first + second)
    hidden, model_ctx = model.forward(batch, keep=True)
    pooled, pooling_ctx = pooling(hidden, batch, kind)
    unit, normalize_ctx = normalize(pooled)
    loss, loss_ctx = info_nce(unit[:M], unit[M:])
    da, db, _ = info_nce_backward(1.0, loss_ctx)
    dpooled = normalize_backward(np.concatenate([da, db]), normalize_ctx)
    new = model.parameters.zeros_like()
    model.backward(pooling_backward(dpooled, pooling_ctx), model_ctx, new)
    gradients.flat[:] = new.flat
    return float(loss)
