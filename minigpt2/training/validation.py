"""How good the model is by now, on data that it does not learn from.

Pairs are measured by the cosines of their vectors, with the gauges of collapse over all distinct texts; a
language model by its loss in nats a token and its perplexity.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..backend import Array, asarray, to_numpy
from ..datasets import Pairs
from ..encoder import BATCH_TOKENS, Encoder, batches_by_length
from ..errors import DataError, UsageError
from ..evaluation.collapse import Collapse, collapse_of
from ..evaluation.pairs import pairs_metrics
from ..ragged import TokenBatch
from . import losses
from .examples import TrainingSet
from .gradients import embed

# The metric that decides which model is best, by the kind of the validation data; the loss is best when low.
DECIDING = {"binary": "auc", "score": "spearman", "texts": "loss"}

# Texts in one forward pass at most.
BATCH_SIZE = 1024


class Measured(NamedTuple):
    """One validation."""

    metrics: dict[str, float]
    collapse: Collapse | None
    positives: np.ndarray | None  # cosines of pairs that belong together
    negatives: np.ndarray | None


class Validation:
    """Validation data, tokenized once, and the measures that fit it."""

    def __init__(self, data: "Pairs | list[str]", encoder: Encoder, objective: str) -> None:
        """Pairs for objectives on vectors, texts or pairs for a language model; else UsageError.

        Raises DataError for data that measures nothing: all labels equal, no text of two tokens.
        """
        if objective != "language_model" and not isinstance(data, Pairs):
            raise UsageError(
                f"the objective {objective} is validated on pairs with labels, not on a {type(data).__name__}"
            )
        self.pairs = data if isinstance(data, Pairs) else None
        self.texts = TrainingSet.of(data, encoder)
        self.kind = "texts" if objective == "language_model" else data.kind
        self.metric = DECIDING[self.kind]
        if self.kind == "texts":
            _with_next_token(self.texts)
        elif data.labels.min() == data.labels.max():
            raise DataError(
                f"{data.path}: every label is {data.labels[0]:g}, so a validation on it tells nothing: give "
                f"pairs with several labels"
            )

    def compare(self, metric: float, best: float | None) -> int:
        """1 if `metric` is better than the best so far, 0 if it is as good, −1 if it is worse."""
        if best is None:
            return 1
        gain = best - metric if self.metric == "loss" else metric - best
        return (gain > 0) - (gain < 0)

    def measure(self, encoder: Encoder) -> Measured:
        """Measure the model of `encoder` as it is now, without dropout."""
        if self.kind == "texts":
            loss = mean_loss(self.texts, encoder)
            perplexity = math.exp(loss) if loss < 700 else math.inf
            return Measured({"loss": loss, "perplexity": perplexity}, None, None, None)
        xp = encoder.backend.xp
        vectors = vectors_of(self.texts, encoder)  # (texts, D)
        first, second = (asarray(column, xp) for column in self.texts.columns.T.astype(np.int64))  # (M,)
        cosines = to_numpy((vectors[first] * vectors[second]).sum(axis=1)).astype(np.float64)  # (M,)
        if not np.isfinite(cosines).all():
            return Measured({self.metric: math.nan}, None, None, None)
        together, apart = self._by_label()  # (M,) each
        pairs = asarray(np.flatnonzero(together), xp)  # (P,)
        collapse = collapse_of(vectors, (first[pairs], second[pairs]) if len(pairs) else None)
        return Measured(pairs_metrics(cosines, self.pairs), collapse, cosines[together], cosines[apart])

    def _by_label(self) -> tuple[np.ndarray, np.ndarray]:
        """(M,) which pairs belong together (label 1, or the top quarter of the scale), (M,) which do not"""
        low, high = self.texts.label_range
        share = (self.pairs.labels - low) / (high - low)  # (M,)
        return share >= 0.75, share <= 0.25


def vectors_of(data: TrainingSet, encoder: Encoder) -> Array:
    """(texts, D) of length 1"""
    xp = encoder.backend.xp
    vectors = xp.empty((data.texts, encoder.dimension), dtype=encoder.backend.dtype)  # (texts, D)
    for rows, batch in _batches(data, np.arange(data.texts), encoder):
        vectors[asarray(rows, xp)] = embed(encoder.model, batch, encoder.settings.pooling)[0]  # (b, D)
    return vectors


def mean_loss(data: TrainingSet, encoder: Encoder) -> float:
    """The next-token cross-entropy in nats, over all tokens that have a next one"""
    total, predicted = 0.0, 0
    for _, batch in _batches(data, _with_next_token(data), encoder):
        hidden, _ = encoder.model.forward(batch)  # (N, D)
        loss, _ = losses.next_token(hidden, encoder.model.parameters["wte.weight"], batch)  # ()
        total += float(loss) * (batch.N - batch.B)
        predicted += batch.N - batch.B
    return total / predicted


def _with_next_token(data: TrainingSet) -> np.ndarray:
    """(n,) the texts of two tokens or more"""
    usable = np.flatnonzero(data.lengths > 1)  # (n,)
    if len(usable) == 0:
        raise DataError("no validation text has two tokens, so there is no next token to predict")
    return usable


def _batches(
    data: TrainingSet, texts: np.ndarray, encoder: Encoder
) -> Iterator[tuple[np.ndarray, TokenBatch]]:
    """(n,) texts in batches of similar length: their numbers (b,) and their tokens"""
    budget = BATCH_TOKENS[encoder.backend.device]
    for rows in batches_by_length(data.lengths[texts].tolist(), BATCH_SIZE, budget):
        chosen = texts[rows]  # (b,)
        yield chosen, TokenBatch(data.tokens_of(chosen), encoder.backend.xp)
