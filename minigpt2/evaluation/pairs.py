"""Pairs of sentences: do the scores of a model follow the labels?"""

from collections.abc import Sequence

import numpy as np

from ..backend import Array
from ..datasets import Pairs
from ..errors import UsageError
from .metrics import (
    accuracy_at,
    auc,
    average_precision,
    best_threshold,
    f1_at,
    pearson,
    spearman,
)


def pairs_metrics(scores: Array, pairs: Pairs, dev: tuple[Array, Pairs] | None = None) -> dict[str, float]:
    """Compare scores (M,), such as cosines, with the labels of the pairs.

    0/1 labels    auc, average_precision, accuracy, f1, threshold (of the accuracy), f1_threshold
    scores        spearman, pearson

    `dev` holds scores and pairs on which the thresholds are chosen. Without it they are chosen on the pairs
    themselves, so accuracy and F1 are the best that any threshold reaches. Raises DataError for labels that
    are all equal and for scores that are not finite.
    """
    if pairs.kind == "score":
        return {"spearman": spearman(scores, pairs.labels), "pearson": pearson(scores, pairs.labels)}
    if dev is not None and dev[1].kind != "binary":
        raise UsageError(f"{dev[1].path} holds scores: thresholds are chosen on 0/1 labels")
    chosen_on, its_labels = (scores, pairs.labels) if dev is None else (dev[0], dev[1].labels)
    threshold = best_threshold(chosen_on, its_labels, "accuracy").threshold
    f1_threshold = best_threshold(chosen_on, its_labels, "f1").threshold
    return {
        "auc": auc(scores, pairs.labels),
        "average_precision": average_precision(scores, pairs.labels),
        "accuracy": accuracy_at(scores, pairs.labels, threshold),
        "f1": f1_at(scores, pairs.labels, f1_threshold),
        "threshold": threshold,
        "f1_threshold": f1_threshold,
    }


def distinct(*columns: Sequence[str]) -> tuple[list[str], list[np.ndarray]]:
    """The different texts of several columns, and for each column the numbers of its texts among them."""
    number: dict[str, int] = {}
    rows = [np.array([number.setdefault(text, len(number)) for text in column], int) for column in columns]
    return list(number), rows
