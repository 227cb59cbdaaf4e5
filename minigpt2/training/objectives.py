"""What can be learned from which data, and the loss of a batch for each objective.

| objective      | takes                               | one example is                               |
|----------------|-------------------------------------|----------------------------------------------|
| contrastive    | 0/1 pairs                           | a pair and its label                         |
| cosine         | 0/1 pairs, scores                   | a pair and the cosine it should have, 0 … 1  |
| cosent         | 0/1 pairs, scores                   | a pair and its label                         |
| info_nce       | 0/1 pairs, positives, texts         | anchor, positive and possibly hard negatives |
| triplet        | 0/1 pairs, positives with negatives | anchor, positive, negative                   |
| distillation   | texts with a teacher's vectors      | a text and the vector it should have         |
| language_model | anything                            | a text                                       |

0/1 pairs become positives like this: a pair with label 1 is an anchor and its positive; a pair with label 0
whose first sentence is such an anchor gives it a hard negative; the others are left out, and counted. A
negative that is the anchor itself or one of its positives is left out too: the loss would push apart what it
pulls together. Single texts become positives of themselves, two dropouts of one text (SimCSE, Gao et al.
2021, arXiv:2104.08821).
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, array_module, asarray
from ..config import GPT2Config
from ..errors import DataError, UsageError
from ..layers import normalize
from . import losses
from .examples import TrainingSet
from .gradients import LossOfVectors
from .settings import TrainingSettings

# Hard negatives of one example at most: with more, a few anchors would fill the batch with their texts.
MOST_NEGATIVES = 4

Forward = Callable[..., tuple[Array, Any]]
Backward = Callable[[Array, Any], Array | tuple[Array | None, ...]]


class Objective(NamedTuple):
    """What an objective needs, and its loss."""

    kinds: tuple[str, ...]  # of TrainingSet, those that it takes
    at_least: int  # examples in a batch: 2 where they are compared with each other
    prepare: Callable[[TrainingSet], tuple[TrainingSet, list[str]]]  # its examples, and notes for people
    bind: Callable[[TrainingSettings, np.ndarray | None], tuple[Forward, Backward]] | None  # labels -> loss


def prepare(
    data: TrainingSet, settings: TrainingSettings, config: GPT2Config
) -> tuple[TrainingSet, list[str]]:
    """The examples as the objective of `settings` sees them, and notes on what was left out or changed.

    Raises UsageError for data that the objective cannot use, saying which objective can, and for settings
    that do not fit the model; DataError if no example is left.
    """
    name = settings.objective
    objective = OBJECTIVES[name]
    has_targets = data.targets is not None
    has_negatives = data.kind == "binary" or data.columns.shape[1] > 2
    fitting = [
        other
        for other, needs in OBJECTIVES.items()
        if data.kind in needs.kinds
        and (has_targets or other != "distillation")
        and (has_negatives or other != "triplet")
    ]
    if name not in fitting:
        what = _WORDS[data.kind]
        if data.kind == "texts" and not has_targets:
            what += " without a teacher's vectors"
        elif name == "triplet":
            what += " without negatives"
        raise UsageError(f"the objective {name} cannot learn from {what}: use {' or '.join(fitting)}")
    if settings.matryoshka is not None and settings.matryoshka[-1] > config.D:
        raise UsageError(
            f"matryoshka width {settings.matryoshka[-1]} is beyond the model's width {config.D}: leave it out"
        )
    prepared, notes = objective.prepare(data)
    if name == "distillation":
        targets, kept = project(prepared.targets, config.D)
        if targets is not prepared.targets:
            width = prepared.targets.shape[1]
            notes.append(
                f"targets of width {width} projected to {config.D}, which keeps {kept:.1%} of their energy"
            )
        prepared = prepared.replace(targets=targets)
    if name == "info_nce" and data.kind == "texts" and not drops(config):
        raise UsageError(
            "info_nce on single texts compares two dropouts of each text, and this model has no dropout: "
            "set dropout, for example to 0.1"
        )
    if len(prepared) == 0:
        raise DataError(f"no example is left for the objective {name}: {'; '.join(notes)}")
    return prepared, notes


def texts_of_batch(data: TrainingSet, rows: np.ndarray) -> np.ndarray:
    """(m,) examples -> (M,) their texts: the first column of all, then the second, and so on"""
    columns = data.columns[rows]  # (m, C)
    return columns.T[columns.T >= 0]


def loss_of_batch(data: TrainingSet, rows: np.ndarray, settings: TrainingSettings) -> LossOfVectors:
    """The loss of (m,) examples as a function of the vectors (M, D) of `texts_of_batch`."""
    columns = data.columns[rows]  # (m, C)
    m = len(rows)
    labels = None if data.labels is None else data.labels[rows]  # (m,)
    forward, backward = OBJECTIVES[settings.objective].bind(settings, labels)
    targets = None
    if settings.objective == "distillation":
        targets = data.targets[columns[:, 0]]  # (m, D)

    def loss(vectors: Array) -> tuple[Array, Array]:
        """(M, D) -> (), (M, D)"""
        parts = _split(vectors, m)
        if targets is not None:
            wanted = asarray(targets, array_module(vectors), vectors.dtype)  # (m, D)
            parts.append(normalize(wanted)[0])
        if settings.matryoshka is None:
            value, ctx = forward(*parts)  # ()
            gradients = backward(1.0, ctx)
        else:
            dims = sorted({*settings.matryoshka, vectors.shape[1]})
            value, ctx = losses.matryoshka(forward, backward, tuple(parts), dims)  # ()
            gradients = losses.matryoshka_backward(1.0, ctx)
        if not isinstance(gradients, tuple):
            return value, gradients
        of_vectors = [g for g in gradients[: len(parts) - (targets is not None)] if g is not None]
        return value, array_module(vectors).concatenate(of_vectors)  # (M, D)

    return loss


def _split(vectors: Array, m: int) -> list[Array]:
    """(M, D) -> the first columns (m, D) each, then all negatives together (K, D) if there are any"""
    if len(vectors) == m:
        return [vectors]
    parts = [vectors[:m], vectors[m : 2 * m]]
    return [*parts, vectors[2 * m :]] if len(vectors) > 2 * m else parts


def project(targets: np.ndarray, D: int) -> tuple[np.ndarray, float]:
    """(texts, W) -> (texts, D) on the D directions of greatest energy, float16, and the share of it kept.

    These directions, the eigenvectors of Tᵀ·T with the largest eigenvalues, change the dot products of the
    rows least (Eckart, Young 1936). Rows need no length of 1: a batch normalises its own. Targets of width D
    stay as they are. Raises UsageError for targets narrower than D.
    """
    texts, W = targets.shape
    if W == D:
        return targets, 1.0
    if W < D:
        raise UsageError(
            f"the teacher's vectors have {W} numbers, but the model's have {D}: take a model of width {W} or "
            f"less"
        )
    energy = np.zeros((W, W))
    for start in range(0, texts, 100_000):
        part, _ = normalize(targets[start : start + 100_000].astype(np.float64))  # (n, W)
        energy += part.T @ part  # (W, W)
    values, directions = np.linalg.eigh(energy)  # ascending
    directions = directions[:, ::-1][:, :D].astype(np.float32)  # (W, D)
    projected = np.empty((texts, D), np.float16)
    for start in range(0, texts, 100_000):
        part, _ = normalize(targets[start : start + 100_000].astype(np.float32))  # (n, W)
        projected[start : start + 100_000] = normalize(part @ directions)[0]  # (n, D)
    return projected, float(values[::-1][:D].sum() / values.sum())


def _as_given(data: TrainingSet) -> tuple[TrainingSet, list[str]]:
    return data, []


def _single_texts(data: TrainingSet) -> tuple[TrainingSet, list[str]]:
    """Every distinct text that has a next token to predict"""
    usable = np.flatnonzero(data.lengths > 1).astype(np.int32)  # (n,)
    left_out = data.texts - len(usable)
    notes = [f"{left_out:,} texts of one token left out: they have no next token"] if left_out else []
    texts = data.replace(kind="texts", columns=usable[:, None], labels=None, label_range=None, targets=None)
    return texts, notes


def _anchors_and_positives(data: TrainingSet) -> tuple[TrainingSet, list[str]]:
    if data.kind == "texts":
        twice = np.repeat(data.columns, 2, axis=1)  # (M, 2)
        return data.replace(columns=twice, targets=None), ["each text is its own positive, by dropout"]
    return _with_own_negatives(data) if data.kind == "positives" else _from_labels(data)


def _triplets(data: TrainingSet) -> tuple[TrainingSet, list[str]]:
    data, notes = _anchors_and_positives(data)
    if data.columns.shape[1] < 3:
        raise UsageError(
            "the objective triplet needs pairs with label 0 whose first sentence is also that of one with "
            "label 1, and there are none: use info_nce, contrastive or cosent"
        )
    lacking = int((data.columns[:, 2] < 0).sum())
    if lacking:
        notes.append(f"{lacking:,} examples without a negative left out")
    triplets = np.concatenate([data.columns[:, [0, 1, c]] for c in range(2, data.columns.shape[1])])
    return data.replace(columns=triplets[triplets[:, 2] >= 0]), notes


def _with_own_negatives(data: TrainingSet) -> tuple[TrainingSet, list[str]]:
    """Positives without the negatives that stand in their example before"""
    columns = data.columns.copy()  # (M, C)
    for c in range(2, columns.shape[1]):
        columns[(columns[:, :c] == columns[:, c, None]).any(axis=1), c] = -1
    removed = int((columns != data.columns).sum())
    if not removed:
        return data, []
    return data.replace(columns=columns), [
        f"{removed:,} negatives left out that are the anchor or the positive of their example"
    ]


def _from_labels(data: TrainingSet) -> tuple[TrainingSet, list[str]]:
    """0/1 pairs -> anchors, positives and hard negatives"""
    is_positive = data.labels > 0.5  # (M,)
    positives, others = data.columns[is_positive], data.columns[~is_positive]  # (p, 2), (o, 2)
    if len(positives) == 0:
        raise DataError("no pair has label 1, so nothing belongs together: use contrastive or cosent")
    examples_of: dict[int, list[int]] = {}  # anchor -> its examples
    held: dict[int, set[int]] = {}  # anchor -> itself, all its positives and the negatives that it was given
    for example, (anchor, positive) in enumerate(positives.tolist()):
        examples_of.setdefault(anchor, []).append(example)
        held.setdefault(anchor, {anchor}).add(positive)

    columns = np.full((len(positives), 2 + MOST_NEGATIVES), -1, np.int32)  # (p, C)
    columns[:, :2] = positives
    given: dict[int, int] = {}  # anchor -> negatives it has been given
    used = 0
    for anchor, negative in others.tolist():
        examples = examples_of.get(anchor, ())
        at = given.get(anchor, 0)
        # One for each of the anchor's examples in turn.
        if at < MOST_NEGATIVES * len(examples) and negative not in held[anchor]:
            columns[examples[at % len(examples)], 2 + at // len(examples)] = negative
            given[anchor] = at + 1
            held[anchor].add(negative)
            used += 1
    width = 2 + int((columns[:, 2:] >= 0).any(axis=0).sum())
    left = f", {len(others) - used:,} of them left out" if used < len(others) else ""
    notes = [
        f"{len(positives):,} pairs with label 1 are anchors with their positives, to which the "
        f"{len(others):,} with label 0 give hard negatives{left}"
    ]
    changes = {"kind": "positives", "labels": None, "label_range": None}
    return data.replace(columns=columns[:, :width], **changes), notes


def _zero_to_one(data: TrainingSet) -> tuple[TrainingSet, list[str]]:
    """Labels scaled so that the ends of their range become the cosines 0 and 1"""
    low, high = data.label_range
    notes = [] if (low, high) == (0.0, 1.0) else [f"labels {low:g} … {high:g} become cosines 0 … 1"]
    return data.replace(labels=(data.labels - low) / (high - low), label_range=(0.0, 1.0)), notes


def _bind_contrastive(settings: TrainingSettings, labels: np.ndarray) -> tuple[Forward, Backward]:
    options = {name: settings.option(name) for name in ("margin", "temperature")}
    return functools.partial(losses.contrastive, labels=labels, **options), losses.contrastive_backward


def _bind_cosine(settings: TrainingSettings, labels: np.ndarray) -> tuple[Forward, Backward]:
    return functools.partial(losses.cosine_regression, targets=labels), losses.cosine_regression_backward


def _bind_cosent(settings: TrainingSettings, labels: np.ndarray) -> tuple[Forward, Backward]:
    forward = functools.partial(losses.cosent, labels=labels, temperature=settings.option("temperature"))
    return forward, losses.cosent_backward


def _bind_info_nce(settings: TrainingSettings, labels: None) -> tuple[Forward, Backward]:
    options = {name: settings.option(name) for name in ("temperature", "symmetric")}
    return functools.partial(losses.info_nce, **options), losses.info_nce_backward


def _bind_triplet(settings: TrainingSettings, labels: None) -> tuple[Forward, Backward]:
    return functools.partial(losses.triplet, margin=settings.option("margin")), losses.triplet_backward


def _bind_distillation(settings: TrainingSettings, labels: None) -> tuple[Forward, Backward]:
    options = {name: settings.option(name) for name in ("temperature", "alpha")}
    return functools.partial(losses.distillation, **options), losses.distillation_backward


_ALL = ("binary", "score", "positives", "texts")
_WORDS = {
    "binary": "pairs labelled 0 or 1",
    "score": "pairs with scores",
    "positives": "texts that belong together",
    "texts": "single texts",
}

OBJECTIVES: dict[str, Objective] = {
    "contrastive": Objective(("binary",), 1, _as_given, _bind_contrastive),
    "cosine": Objective(("binary", "score"), 1, _zero_to_one, _bind_cosine),
    "cosent": Objective(("binary", "score"), 2, _as_given, _bind_cosent),
    "info_nce": Objective(("binary", "positives", "texts"), 2, _anchors_and_positives, _bind_info_nce),
    "triplet": Objective(("binary", "positives"), 1, _triplets, _bind_triplet),
    "distillation": Objective(("texts",), 2, _as_given, _bind_distillation),
    "language_model": Objective(_ALL, 1, _single_texts, None),
}


def drops(config: GPT2Config) -> bool:
    """True if a model of this configuration has dropout when it trains."""
    return max(config.embd_pdrop, config.attn_pdrop, config.resid_pdrop) > 0.0
