"""The package's `vector_gradients`, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import normalize, normalize_backward, pooling, pooling_backward
from minigpt2.learn.checking import same_array
from minigpt2.learn.installing import TINY, random_parameters
from minigpt2.model import GPT2
from minigpt2.ragged import TokenBatch
from minigpt2.training.gradients import vector_gradients
from minigpt2.training.losses import info_nce, info_nce_backward

FIRST = [[1, 5, 2, 5], [3, 7], [9, 8, 9, 8, 9]]
SECOND = [[1, 5, 2], [3, 7, 12, 4], [11, 8]]
M = len(FIRST)


def check(exercise: ModuleType) -> None:
    model = GPT2(TINY, random_parameters())
    for kind in ("mean", "weighted_mean"):

        def loss(unit):
            value, ctx = info_nce(unit[:M], unit[M:])
            da, db, _ = info_nce_backward(1.0, ctx)
            return value, np.concatenate([da, db])

        right = model.parameters.zeros_like()
        value = vector_gradients(model, FIRST + SECOND, kind, loss, right)
        mine = model.parameters.zeros_like()
        mine.flat[:] = 1.0  # what is there is to be added to
        yours = exercise.embedding_loss(
            model, [list(s) for s in FIRST], [list(s) for s in SECOND], mine, kind
        )
        if kind == "weighted_mean":
            reasons = [(by_hand(model, kind="mean")[0], "the pooling is always the mean: hand `kind` on")]
        else:
            reasons = [
                (by_hand(model, scaled=False)[0], "the vectors are not of length 1: normalize is missing")
            ]
        same_array(np.array(value), yours, f"the loss with {kind} pooling", reasons)
        same_array(
            right.flat,
            mine.flat - 1.0,
            f"all gradients with {kind} pooling, one behind the other",
            [
                (np.zeros_like(right.flat), "nothing has arrived: is model.backward called?"),
                (right.flat - 1.0, "the gradients that were there are overwritten: add to them"),
                (
                    by_hand(model, kind, back="no normalize")[1],
                    "normalize_backward is skipped: the gradient still has a part along the vectors",
                ),
                (
                    by_hand(model, kind, back="first")[1],
                    "only the first sides learn: both sides went through the model, so both go back",
                ),
                (
                    by_hand(model, kind, back="second")[1],
                    "only the second sides learn: both sides went through the model, so both go back",
                ),
                (
                    by_hand(model, kind, back="swapped")[1],
                    "da and db are put together in the wrong order: da belongs to the first M rows",
                ),
                (
                    by_hand(model, kind, back="mean")[1],
                    "the way back through pooling is that of the mean, for every kind",
                ),
            ],
            tolerance=1e-8,
        )


def by_hand(model, kind="mean", back="", scaled=True):
    """The loss and the flat gradient, with one mistake."""
    batch = TokenBatch(FIRST + SECOND)
    hidden, model_ctx = model.forward(batch, keep=True)
    pooled, pooling_ctx = pooling(hidden, batch, kind)
    unit, ctx = normalize(pooled) if scaled else (pooled, None)
    value, loss_ctx = info_nce(unit[:M], unit[M:])
    if not scaled:
        return value, None
    da, db, _ = info_nce_backward(1.0, loss_ctx)
    da, db = (0.0 * da if back == "second" else da), (0.0 * db if back == "first" else db)
    dunit = np.concatenate([db, da] if back == "swapped" else [da, db])
    dpooled = dunit if back == "no normalize" else normalize_backward(dunit, ctx)
    if back == "mean":
        _, pooling_ctx = pooling(hidden, batch, "mean")
    gradients = model.parameters.zeros_like()
    model.backward(pooling_backward(dpooled, pooling_ctx), model_ctx, gradients)
    return value, gradients.flat
