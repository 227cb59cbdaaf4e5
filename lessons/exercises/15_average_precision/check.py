"""The package's average precision, and what typical mistakes would give."""

from types import ModuleType

import numpy as np

from minigpt2.evaluation.metrics import auc, average_precision
from minigpt2.learn.checking import same_array


def check(exercise: ModuleType) -> None:
    cases = (
        (np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.1]), np.array([1, 0, 1, 1, 0, 0])),
        (np.array([0.5, 0.9, 0.5, 0.5, 0.2, 0.9, 0.2]), np.array([1, 0, 0, 1, 1, 1, 0])),
    )
    for scores, labels in cases:
        order = np.argsort(-scores, kind="stable")
        hits = labels[order]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        recall = np.cumsum(hits) / hits.sum()
        worst = np.lexsort((labels, -scores))
        p_worst = np.cumsum(labels[worst]) / np.arange(1, len(hits) + 1)
        same_array(
            np.array(average_precision(scores, labels)),
            exercise.average_precision(scores, labels),
            f"average_precision({scores.tolist()}, {labels.tolist()})",
            [
                (
                    (precision * hits).sum() / hits.sum(),
                    "tied scores are taken one by one, in the order of the file: they come in together",
                ),
                (
                    (p_worst * labels[worst]).sum() / hits.sum(),
                    "tied scores are taken one by one: they come in together",
                ),
                (
                    precision.mean(),
                    "the precision counts by how much recall it adds, not at every place alike",
                ),
                (np.array(average_precision(-scores, labels)), "from the highest score downwards"),
                (
                    np.trapezoid(precision, recall),
                    "this is the area by trapezoids, which is too kind: each step has the precision at "
                    "its END",
                ),
                (
                    above(scores, labels),
                    "what has exactly the threshold counts as positive, too: at or ABOVE it, >=",
                ),
                (np.array(auc(scores, labels)), "this is the area under the ROC curve"),
                ((precision * hits).sum() / len(hits), "divide by the number of positives, not of examples"),
            ],
        )


def above(scores, labels):
    """What `>` instead of `>=` gives."""
    total, before = 0.0, 0.0
    for threshold in np.unique(scores)[-2::-1]:
        taken = scores > threshold
        recall = labels[taken].sum() / labels.sum()
        total, before = total + (recall - before) * labels[taken].mean(), recall
    return np.array(total)
