"""Are the classes of texts near each other in the vectors? Nearest neighbours, and a linear probe.

The vectors stay as they are; what is learned on top of them is nothing (kNN) or one linear layer (the probe),
so the accuracy says what the vectors hold.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..errors import DataError, UsageError
from .sparse import Rows, products

NEIGHBOURS = 10
FOLDS, FOLDS_OF_MANY, MANY = 5, 2, 10_000  # more than so many texts teach enough with half of them
STRENGTH = 10.0  # of the probe's fit to the data against its L2 penalty, scikit-learn's C

_BLOCK = 1 << 23  # similarities in memory at once


class Split(NamedTuple):
    """Which rows learn and which are judged."""

    train: np.ndarray
    test: np.ndarray


def fold_count(M: int) -> int:
    """How many splits cross-validation makes of M rows."""
    return min(M, FOLDS if M <= MANY else FOLDS_OF_MANY)


def folds(labels: np.ndarray, seed: int = 0) -> list[Split]:
    """(M,) classes -> splits; every row is judged once, and every class is dealt out evenly."""
    labels = np.asarray(labels)
    if len(labels) < 2:
        raise DataError(f"{len(labels)} labelled text cannot be split: give more, or a file to learn from")
    count = fold_count(len(labels))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]  # class by class, random inside
    fold = np.empty(len(labels), int)
    fold[dealt] = np.arange(len(labels)) % count
    return [Split(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(count)]


def knn(train: Rows, labels: np.ndarray, test: Rows, k: int = NEIGHBOURS) -> np.ndarray:
    """The class that most of the k most similar training rows have: (N, D), (N,), (M, D) -> (M,)

    Rows have length 1, so the product is the cosine. Among classes with as many neighbours, the one whose
    neighbours are more similar in sum wins, then the smaller class number. Classes are numbers from 0.
    """
    classes = int(labels.max()) + 1
    k = min(k, len(labels))
    out = np.empty(test.shape[0], labels.dtype)
    step = max(1, _BLOCK // max(1, len(labels)))
    for start in range(0, len(out), step):
        similar = products(test[start : start + step], train)  # (m, N)
        nearest = np.argpartition(-similar, k - 1, axis=1)[:, :k]  # (m, k)
        found = labels[nearest]  # (m, k)
        scores = np.take_along_axis(similar, nearest, axis=1)  # (m, k)
        row = np.arange(len(found))[:, None] * classes + found  # (m, k)
        votes = np.bincount(row.ravel(), minlength=len(found) * classes)
        sums = np.bincount(row.ravel(), scores.ravel(), len(found) * classes)
        # Sums of cosines lie in −k … k, so they decide only between equal votes.
        out[start : start + step] = (votes + sums / (2 * k + 1)).reshape(len(found), classes).argmax(axis=1)
    return out


class Probe(NamedTuple):
    """A linear layer over classes."""

    weight: np.ndarray  # (D, K)
    bias: np.ndarray  # (K,)

    def predict(self, x: Rows) -> np.ndarray:
        """(M, D) -> (M,) class numbers"""
        return (x @ self.weight + self.bias).argmax(axis=1)


def logistic_probe(x: Rows, labels: np.ndarray, strength: float = STRENGTH, tolerance: float = 1e-4) -> Probe:
    """Multinomial logistic regression: rows (M, D) and class numbers (M,) from 0 to K−1 -> Probe.

        loss = mean over rows of −log softmax(x·W + b)[label] + ‖W‖² / (2 · strength · M)

    Convex, and minimised until no component of the gradient exceeds `tolerance` times the largest at the
    start. The bias is not penalised. The same as scikit-learn's LogisticRegression(C=strength).
    """
    M, D = x.shape
    K = int(labels.max()) + 1
    wanted = np.zeros((M, K))
    wanted[np.arange(M), labels] = 1.0
    transposed = x.T
    # Around their mean m the columns are far better conditioned, and x·W + b = (x − m)·W + (b + m·W).
    mean = transposed @ np.full(M, 1.0 / M)  # (D,)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight, bias = flat[: D * K].reshape(D, K), flat[D * K :]
        logits = x @ weight + (bias - mean @ weight)  # (M, K)
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)  # (M, K)
        total = p.sum(axis=1, keepdims=True)  # (M, 1)
        value = (np.log(total[:, 0]) - logits[np.arange(M), labels]).mean()
        value += (weight * weight).sum() / (2.0 * strength * M)
        dlogits = (p / total - wanted) / M  # (M, K)
        dbias = dlogits.sum(axis=0)  # (K,)
        dweight = transposed @ dlogits - np.outer(mean, dbias) + weight / (strength * M)  # (D, K)
        return float(value), np.concatenate([dweight.ravel(), dbias])

    flat = minimise(loss, np.zeros(D * K + K), tolerance)
    weight = flat[: D * K].reshape(D, K)
    return Probe(weight, flat[D * K :] - mean @ weight)


def minimise(
    loss: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    tolerance: float = 1e-6,
    steps: int = 2000,
    memory: int = 10,
) -> np.ndarray:
    """The minimum of a smooth convex function that gives value and gradient, by L-BFGS.

    Each step goes along −H·gradient, with H the inverse curvature that the last steps have shown (Nocedal,
    Wright: Numerical Optimization, algorithm 7.4), and is halved until the value falls by enough. Ends when
    no component of the gradient exceeds `tolerance` times the largest at the start, when rounding leaves
    nothing to gain, or after so many steps.
    """
    value, gradient = loss(x)
    goal = tolerance * np.abs(gradient).max(initial=0.0)
    pairs: list[tuple[np.ndarray, np.ndarray, float]] = []  # step, change of the gradient, 1 / their product
    for _ in range(steps):
        if np.abs(gradient).max(initial=0.0) <= goal:
            break
        direction = -_times_inverse_curvature(gradient, pairs)
        slope = gradient @ direction
        length = 1.0 if pairs else min(1.0, 1.0 / np.sqrt(gradient @ gradient))
        while True:
            new_x = x + length * direction
            new_value, new_gradient = loss(new_x)
            if new_value <= value + 1e-4 * length * slope:
                break
            length *= 0.5
            if length < 1e-10:
                return x
        step, change = new_x - x, new_gradient - gradient
        if step @ change > 1e-12 * (change @ change):
            pairs = [*pairs[1 - memory :], (step, change, 1.0 / (step @ change))]
        x, value, gradient = new_x, new_value, new_gradient
    return x


def _times_inverse_curvature(
    gradient: np.ndarray, pairs: Sequence[tuple[np.ndarray, np.ndarray, float]]
) -> np.ndarray:
    """L-BFGS's two loops over the remembered steps, newest to oldest and back."""
    direction = gradient.copy()
    factors = []
    for step, change, rho in reversed(pairs):
        factors.append(rho * (step @ direction))
        direction -= factors[-1] * change
    if pairs:
        step, change, rho = pairs[-1]
        direction *= 1.0 / (rho * (change @ change))
    for (step, change, rho), factor in zip(pairs, reversed(factors), strict=True):
        direction += (factor - rho * (change @ direction)) * step
    return direction


def as_numbers(labels: Sequence[str], known: Sequence[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Class names -> their numbers (M,), −1 for one that `known` lacks, and the names in order."""
    names = sorted(set(labels)) if known is None else list(known)
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(label, -1) for label in labels], int), names


def accuracy(predict: Callable[[Split], np.ndarray], labels: np.ndarray, splits: Sequence[Split]) -> float:
    """The share of judged rows whose class is predicted: over all splits together."""
    if not splits:
        raise UsageError("accuracy needs at least one split")
    right = sum(int((predict(split) == labels[split.test]).sum()) for split in splits)
    return right / sum(len(split.test) for split in splits)
