"""The package's loss, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.layers import cross_entropy
from minigpt2.learn.checking import require, same_array
from minigpt2.ragged import TokenBatch
from minigpt2.training.losses import next_token


def check(exercise: ModuleType) -> None:
    rng = np.random.default_rng(12)
    batch = TokenBatch([[3, 1, 4, 1], [5], [], [2, 6, 5]])
    N, D, V = batch.N, 4, 7
    hidden, wte = rng.standard_normal((N, D)), rng.standard_normal((V, D))
    right = next_token(hidden, wte, batch)[0]
    logits = hidden @ wte.T

    def loss(rows, targets):
        return cross_entropy(logits[rows], targets)[0]

    rows = np.array([0, 1, 2, 5, 6])
    yours = exercise.next_token_loss(hidden, wte, batch.ids, batch.offsets)
    same_array(
        right,
        yours,
        "the loss",
        [
            (
                loss(np.arange(N - 1), batch.ids[1:]),
                "the last token of a sentence predicts the first of the next: leave it out",
            ),
            (
                loss(rows, batch.ids[rows]),
                "each token predicts itself: the target is the token after it, ids[i + 1]",
            ),
            (
                loss(rows + 1, batch.ids[rows]),
                "each token predicts the one before it: row i belongs with ids[i + 1]",
            ),
            (
                right * len(rows),
                "this is the sum: the mean over the tokens that have a next one is asked for",
            ),
            (
                (loss(rows[:3], batch.ids[rows[:3] + 1]) + loss(rows[3:], batch.ids[rows[3:] + 1])) / 2,
                "this is the mean of the sentences' means: every token counts alike, so those of a long "
                "sentence weigh more together",
            ),
            (right * len(rows) / N, "the mean is over the tokens that have a next one, not over all N"),
            (right / np.log(2.0), "this is in bits: use the natural logarithm"),
            *[
                (
                    (loss(rows[:3], batch.ids[1:4]) + loss(rows[3:], batch.ids[6:])) / sentences,
                    "this is a mean of means: every token counts the same, in a long sentence or a short one",
                )
                for sentences in (2, 4)
            ],
            (-right, "the sign: − log of a probability is positive"),
            (
                lambda yours: float(yours) < 0,
                "a loss below 0: − log of a probability cannot be; is softmax missing, or the sign?",
            ),
        ],
    )
    large = exercise.next_token_loss(1000.0 * hidden, wte, batch.ids, batch.offsets)
    require(
        np.isfinite(large),
        f"with logits in the thousands the loss is {large}",
        "take each row's maximum away before exp, and take log of the sum, not of each probability",
    )
    same_array(next_token(1000.0 * hidden, wte, batch)[0], large, "the loss of logits in the thousands")
