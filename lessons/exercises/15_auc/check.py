"""The package's AUC, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.metrics import auc, average_precision
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    cases = (
        (np.array([0.9, 0.2, 0.7, 0.4, 0.1]), np.array([1, 0, 1, 0, 0])),
        (np.array([0.5, 0.9, 0.5, 0.5, 0.2, 0.9, 0.1]), np.array([1, 0, 0, 1, 1, 1, 0])),
        (np.ones(5), np.array([1, 0, 1, 0, 0])),
    )
    for scores, labels in cases:
        d = scores[labels == 1][:, None] - scores[labels == 0]
        same_array(
            np.array(auc(scores, labels)),
            exercise.auc(scores, labels),
            f"auc({scores.tolist()}, {labels.tolist()})",
            [
                ((d > 0).mean(), "ties count for nothing here: a tie counts half"),
                ((d >= 0).mean(), "ties count in full here: a tie counts half"),
                (
                    1 - np.array(auc(scores, labels)),
                    "the order is turned round: the positive should have the higher score",
                ),
                ((d > 0).sum() + 0.5 * (d == 0).sum(), "divide by the number of pairs"),
                (
                    ((d > 0).sum() + 0.5 * (d == 0).sum()) / len(scores) ** 2,
                    "divide by positives · negatives, not by all pairs of examples",
                ),
                (
                    one_by_one(scores, labels),
                    "the curve takes tied examples one by one, in the order of the file: a tie counts half",
                ),
                (np.array(average_precision(scores, labels)), "this is the average precision"),
                (
                    np.array(((scores >= 0.5) == labels).mean()),
                    "this is the accuracy at one threshold; AUC needs none",
                ),
            ],
        )


def one_by_one(scores, labels):
    """The area under the curve, with a step for each example."""
    sorted_labels = labels[np.argsort(-scores, kind="stable")]
    found, false = np.cumsum(sorted_labels), np.cumsum(1 - sorted_labels)
    return np.trapezoid(found / found[-1], false / false[-1])
