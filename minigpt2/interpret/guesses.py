"""What the language-model head would say next, and how surprised it is by what came.

    logits = hidden · wteᵀ                                      (T, V)
    ln p   = logits − max − ln Σ exp(logits − max)
    loss   = − mean over t of  ln p_t[id of token t + 1]        in nats a token

A head that knows nothing gives every token the probability 1/V and has the loss ln V. One that was trained to
guess stays well below; a model that was trained as an embedder alone has a head like any other, but nobody
ever asked it, and its loss is about ln V or above.
"""

import math
from typing import NamedTuple

from ..backend import Array, array_module
from ..errors import DataError
from ..model import GPT2
from ..model import next_tokens as rows_and_targets
from .checks import require_count, require_index
from .look import Look


class Guesses(NamedTuple):
    """The most probable next tokens, most probable first."""

    ids: Array  # (k,)
    probabilities: Array  # (k,)


class Surprise(NamedTuple):
    """How surprised the head is by a text; a `loss` about `ln_v` or above says that it cannot guess."""

    loss: float  # nats a token, the mean of `each`
    ln_v: float  # the loss of a head that holds every token for equally likely
    each: Array  # (T−1,) nats: for each token but the first


def next_tokens(model: GPT2, look: Look, k: int = 10, row: int = -1) -> Guesses:
    """The k best guesses at what follows token `row` (from 0; −1 is the last). At most V of them.

    Raises UsageError for a row that the text does not have.
    """
    T = len(look.ids)
    row = require_index("token", row + T if row < 0 else row, T, "the text")
    log_p = _log_softmax(model.logits(look.hidden[row : row + 1])[0])[0]  # (V,)
    xp = array_module(log_p)
    ids = xp.argsort(-log_p, kind="stable")[: require_count("k", k)]  # (k,)
    return Guesses(ids, xp.exp(log_p[ids]))


def surprise(look: Look) -> Surprise:
    """The loss of every token that has one before it. Raises DataError for a text of one token."""
    if len(look.ids) < 2:
        raise DataError("one token has no next one to be surprised by: give a longer text")
    model = look.encoder.model
    rows, targets = rows_and_targets(look.batch)  # (T−1,), (T−1,)
    log_p = _log_softmax(model.logits(look.hidden[rows])[0])  # (T−1, V)
    xp = array_module(log_p)
    each = -log_p[xp.arange(len(targets)), targets]  # (T−1,)
    return Surprise(float(each.mean()), math.log(model.config.V), each)


def _log_softmax(logits: Array) -> Array:
    """(M, V) -> (M, V)"""
    xp = array_module(logits)
    shifted = logits - logits.max(axis=1, keepdims=True)  # (M, V) at most 0, so exp cannot overflow
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))  # (M, V)
