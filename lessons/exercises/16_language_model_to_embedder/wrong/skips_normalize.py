# expect: normalize_backward is skipped
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
    hidden, model_ctx = model.forward(TokenBatch(first + second), keep=True)  # (N, D)
    pooled, pooling_ctx = pooling(hidden, TokenBatch(first + second), kind)  # (2·M, D)
    unit, normalize_ctx = normalize(pooled)  # (2·M, D)
    loss, loss_ctx = info_nce(unit[:M], unit[M:])  # ()
    da, db, _ = info_nce_backward(1.0, loss_ctx)  # (M, D) each
    dpooled = np.concatenate([da, db])
    dhidden = pooling_backward(dpooled, pooling_ctx)  # (N, D)
    model.backward(dhidden, model_ctx, gradients)
    return float(loss)
