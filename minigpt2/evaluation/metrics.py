"""Numbers that say how good scores, rankings, classes and clusters are. NumPy on the host, in float64.

    spearman, pearson                       scores against scores
    auc, average_precision                  scores against 0/1 labels, over all thresholds
    best_threshold, accuracy_at, f1_at      scores against 0/1 labels, at one threshold
    ndcg, mrr, recall                       one query's scores against the relevance of each document
    v_measure                               clusters against classes

Equal scores have no order. Where a metric depends on the order, it is defined on the ties themselves (ranks,
AUC, average precision) or is the mean over every order that the tied documents could have (nDCG, MRR,
recall), so no result depends on the order in a file. Nothing here is in percent.

What cannot be measured is a DataError: NaN or infinity, labels that are all equal, no relevant document.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..backend import Array, to_numpy
from ..errors import DataError, UsageError


def ranks(values: Array) -> np.ndarray:
    """(M,) -> (M,): 1 for the smallest; equal values share the mean of their ranks"""
    _, inverse, counts = np.unique(_finite(values, "values"), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # (M,)


def pearson(scores: Array, labels: Array) -> float:
    """Pearson's linear correlation of (M,) with (M,), in −1 … 1. Constant scores give 0."""
    scores, labels = _pair(scores, labels)
    _require_unequal(labels, "a correlation")
    if scores.min() == scores.max():
        return 0.0
    return float(np.clip(_standard(scores) @ _standard(labels), -1.0, 1.0))


def _standard(values: np.ndarray) -> np.ndarray:
    """(M,) -> (M,) of mean 0 and length 1; scaled on the way, so that nothing overflows or vanishes"""
    values = values / np.abs(values).max()
    values = values - values.mean()
    values = values / np.abs(values).max()
    return values / math.sqrt(values @ values)


def spearman(scores: Array, labels: Array) -> float:
    """Spearman's correlation of (M,) with (M,): Pearson's of their ranks. Constant scores give 0."""
    scores, labels = _pair(scores, labels)
    _require_unequal(labels, "a correlation")
    return pearson(ranks(scores), ranks(labels))


def auc(scores: Array, labels: Array) -> float:
    """The chance that a positive scores above a negative, ties counting half: the area under the ROC curve.

    (M,) scores, (M,) labels of 0 and 1 -> 0 … 1. Mann and Whitney's U over all pairs, by ranks.
    """
    scores, labels = _binary(scores, labels)
    positive = int(labels.sum())
    rank_sum = ranks(scores)[labels].sum()
    return float((rank_sum - positive * (positive + 1) / 2) / (positive * (len(labels) - positive)))


def average_precision(scores: Array, labels: Array) -> float:
    """Σ (recall step) · precision, from the highest threshold to the lowest; tied scores are one step.

    (M,) scores, (M,) labels of 0 and 1 -> 0 … 1; about the share of positives for scores that know nothing.
    """
    scores, labels = _binary(scores, labels)
    cut = _cuts(scores, labels)
    precision = cut.true_positives / cut.predicted  # (G,)
    steps = np.diff(cut.true_positives, prepend=0) / labels.sum()  # (G,)
    return float(steps @ precision)


class _Cuts(NamedTuple):
    """What a threshold at each of the G different scores takes for positive, from the highest score down."""

    scores: np.ndarray  # (G,) descending
    predicted: np.ndarray  # (G,) examples at or above it
    true_positives: np.ndarray  # (G,) those of them with label 1


def _cuts(scores: np.ndarray, labels: np.ndarray) -> _Cuts:
    distinct, inverse, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    positives = np.bincount(inverse, weights=labels, minlength=len(distinct))  # (G,)
    return _Cuts(-distinct, np.cumsum(counts), np.cumsum(positives))


class Threshold(NamedTuple):
    """A score from which on an example counts as positive, and what it reaches where it was chosen."""

    threshold: float
    value: float


def best_threshold(scores: Array, labels: Array, metric: str = "accuracy") -> Threshold:
    """The threshold of the best "accuracy" or "f1": (M,) scores, (M,) labels of 0 and 1.

    It lies in the middle between the two scores that it parts; above all scores where it is best to call
    nothing positive. Of several that are equally good it is the highest. On the data that chose it the value
    is optimistic: measure with `accuracy_at` or `f1_at` on other data.
    """
    if metric not in ("accuracy", "f1"):
        raise UsageError(f"unknown metric {metric!r}: use accuracy or f1")
    scores, labels = _binary(scores, labels)
    cut = _cuts(scores, labels)
    predicted = np.concatenate([[0], cut.predicted])  # (G+1,) the first calls nothing positive
    true_positives = np.concatenate([[0.0], cut.true_positives])  # (G+1,)
    if metric == "accuracy":
        true_negatives = (len(labels) - labels.sum()) - (predicted - true_positives)  # (G+1,)
        values = (true_positives + true_negatives) / len(labels)  # (G+1,)
    else:
        values = 2 * true_positives / (predicted + labels.sum())  # (G+1,)
    best = int(np.argmax(values))  # the first of equals
    if best == 0:
        threshold = np.nextafter(cut.scores[0], np.inf)
    elif best == len(cut.scores):
        threshold = cut.scores[-1]
    else:
        threshold = cut.scores[best] + (cut.scores[best - 1] - cut.scores[best]) / 2
        if threshold == cut.scores[best]:  # two neighbouring numbers have no middle
            threshold = cut.scores[best - 1]
    return Threshold(float(threshold), float(values[best]))


def accuracy_at(scores: Array, labels: Array, threshold: float) -> float:
    """The share of (M,) examples whose 0/1 label says whether their score reaches the threshold."""
    scores, labels = _binary(scores, labels)
    return float(((scores >= threshold) == labels).mean())


def f1_at(scores: Array, labels: Array, threshold: float) -> float:
    """2·TP / (predicted + positive) at the threshold: the harmonic mean of precision and recall, in 0 … 1"""
    scores, labels = _binary(scores, labels)
    predicted = scores >= threshold  # (M,)
    return float(2 * (predicted & labels).sum() / (predicted.sum() + labels.sum()))


# Rankings: one query, (N,) scores of the documents and (N,) relevance, 0 for what does not answer it.


def ndcg(scores: Array, relevance: Array, k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first k, in 0 … 1.

    DCG = Σ relevance / log₂(place + 1), places from 1, with linear gain as in trec_eval and BEIR, divided by
    the DCG of the best order. Järvelin, Kekäläinen 2002, doi:10.1145/582415.582418.
    """
    scores, relevance = _query(scores, relevance, k)
    discounts = 1.0 / np.log2(np.arange(min(k, len(scores))) + 2.0)  # (k,)
    gained = sum(
        relevance[group.documents].mean() * discounts[group.start : group.start + len(group.documents)].sum()
        for group in _ties(scores, k)
    )
    ideal = np.sort(relevance)[::-1][: len(discounts)]  # (k,)
    return float(gained / (ideal @ discounts))


def mrr(scores: Array, relevance: Array, k: int = 10) -> float:
    """1 / (place of the first relevant document), 0 if it is not among the first k."""
    scores, relevance = _query(scores, relevance, k)
    for group in _ties(scores, k):
        n, relevant = len(group.documents), int((relevance[group.documents] > 0).sum())
        if relevant == 0:
            continue
        # The first relevant one of n in random order: at place j with P(none before) · P(relevant then).
        expected, none_before = 0.0, 1.0
        for j in range(min(n, k - group.start)):
            expected += none_before * relevant / (n - j) / (group.start + j + 1)
            none_before *= max(0, n - j - relevant) / (n - j)
        return expected
    return 0.0


def recall(scores: Array, relevance: Array, k: int = 10) -> float:
    """The share of the relevant documents that are among the first k, in 0 … 1"""
    scores, relevance = _query(scores, relevance, k)
    found = sum(
        (relevance[group.documents] > 0).mean() * min(len(group.documents), k - group.start)
        for group in _ties(scores, k)
    )
    return float(found / (relevance > 0).sum())


class _Tie(NamedTuple):
    """Documents of one score: they take the places from `start` (from 0) on, in no order."""

    start: int
    documents: np.ndarray  # (n,)


def _ties(scores: np.ndarray, k: int) -> Iterator[_Tie]:
    """The groups of equal scores that begin among the first k places, best first."""
    k = min(k, len(scores))
    least = -np.partition(-scores, k - 1)[k - 1]
    reached = np.flatnonzero(scores >= least)  # (n,) everything that can be among the first k
    order = reached[np.argsort(-scores[reached], kind="stable")]  # (n,)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(scores[order])) + 1])  # (groups,)
    for start, documents in zip(starts, np.split(order, starts[1:]), strict=True):
        yield _Tie(int(start), documents)


def v_measure(clusters: Array, classes: Array) -> float:
    """(M,) cluster numbers, (M,) classes -> 0 … 1: the harmonic mean of homogeneity and completeness.

    Homogeneity 1 − H(class | cluster) / H(class): a cluster holds one class. Completeness, the other way
    round: a class lies in one cluster. Rosenberg, Hirschberg 2007, aclanthology.org/D07-1043. It does not
    know which cluster is meant for which class, and grows with the number of clusters even by chance.
    """
    clusters, classes = np.asarray(to_numpy(clusters)), np.asarray(to_numpy(classes))
    if clusters.shape != classes.shape or clusters.ndim != 1 or not len(classes):
        raise UsageError(f"shapes {clusters.shape} and {classes.shape}: give two rows of equal length")
    _, i = np.unique(clusters, return_inverse=True)
    _, j = np.unique(classes, return_inverse=True)
    joint = np.zeros((i.max() + 1, j.max() + 1))
    np.add.at(joint, (i, j), 1.0 / len(i))  # (clusters, classes)
    of_cluster, of_class = joint.sum(axis=1), joint.sum(axis=0)
    both, cluster, class_ = _entropy(joint.ravel()), _entropy(of_cluster), _entropy(of_class)
    mutual = max(0.0, cluster + class_ - both)
    # 1 − H(class | cluster)/H(class) = I/H(class), and the harmonic mean of I/a and I/b is 2I/(a + b).
    return 1.0 if cluster + class_ == 0.0 else float(min(1.0, 2.0 * mutual / (cluster + class_)))


def _entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


# What is accepted


def _finite(values: Array, name: str) -> np.ndarray:
    values = np.asarray(to_numpy(values), np.float64)
    if values.ndim != 1 or not len(values):
        raise UsageError(f"{name} have shape {values.shape}: give one row of at least one number")
    if not np.isfinite(values).all():
        raise DataError(
            f"{name} hold {values[~np.isfinite(values)][0]} in row {int(np.argmax(~np.isfinite(values)))}: "
            f"check what produced them"
        )
    return values


def _pair(scores: Array, labels: Array) -> tuple[np.ndarray, np.ndarray]:
    scores, labels = _finite(scores, "scores"), _finite(labels, "labels")
    if len(scores) != len(labels):
        raise UsageError(f"{len(scores)} scores and {len(labels)} labels: give one label for each score")
    return scores, labels


def _require_unequal(labels: np.ndarray, wanted: str) -> None:
    if labels.min() == labels.max():
        raise DataError(f"all {len(labels)} labels are {labels[0]:g}: {wanted} needs different ones")


def _binary(scores: Array, labels: Array) -> tuple[np.ndarray, np.ndarray]:
    """(M,) float64, (M,) bool with both kinds in it"""
    scores, labels = _pair(scores, labels)
    other = labels[(labels != 0) & (labels != 1)]
    if len(other):
        raise DataError(f"the label {other[0]:g} is neither 0 nor 1: use spearman for scores")
    _require_unequal(labels, "telling 0 from 1")
    return scores, labels == 1


def _query(scores: Array, relevance: Array, k: int) -> tuple[np.ndarray, np.ndarray]:
    scores, relevance = _pair(scores, relevance)
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
        raise UsageError(f"k must be a whole number of at least 1, not {k!r}")
    if relevance.min() < 0 or relevance.max() == 0:
        raise DataError("a query needs a relevant document, and no relevance may be negative")
    return scores, relevance
