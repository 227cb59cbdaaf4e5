"""From files to numbers: what is measured on which kind of data, and by which systems.

    0/1 pairs        AUC, average precision, accuracy and F1 at a threshold
    scored pairs     Spearman's and Pearson's correlation of the cosines with the scores
    text label       accuracy of the nearest neighbours and of a linear probe, v-measure of k-means
    BEIR folder      nDCG@10, MRR@10, recall@10 and @100

`open_sets` reads and checks every file before anything is computed; `evaluate` then measures one set.
"""

import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..datasets import (
    LabelledTexts,
    Pairs,
    Retrieval,
    read_beir,
    read_labelled_texts,
    read_pairs,
    recognise,
)
from ..encoder import Encoder, TruncationWarning
from ..errors import DataError, UsageError
from . import baselines
from .baselines import System
from .classification import (
    NEIGHBOURS,
    STRENGTH,
    Split,
    accuracy,
    as_numbers,
    fold_count,
    folds,
    knn,
    logistic_probe,
)
from .clustering import SEEDS, clustering_score
from .collapse import Collapse, collapse_of
from .pairs import distinct, pairs_metrics
from .retrieval import evaluate_retrieval

MAJORITY = "majority"
HEADLINES = {  # task -> the metrics of an overview
    "binary": ("auc",),
    "score": ("spearman",),
    "labelled_texts": ("probe_accuracy", "v_measure"),
    "beir": ("ndcg@10",),
}


class EvaluationSet(NamedTuple):
    """One thing to measure on."""

    name: str
    task: str  # as `recognise` has it: "binary", "score", "labelled_texts" or "beir"
    data: Pairs | LabelledTexts | Retrieval
    learn_from: Pairs | LabelledTexts | None  # chooses the thresholds, or trains probe and neighbours
    notes: list[str]  # what a reader must know to compare the numbers


class SystemResult(NamedTuple):
    """What one system reached; shares and correlations, not in percent."""

    name: str
    metrics: dict[str, float]
    seconds: float


class SetResult(NamedTuple):
    """What all systems reached on one set, the model first."""

    name: str
    task: str
    path: str
    notes: list[str]
    results: list[SystemResult]
    collapse: Collapse | None  # of the model's vectors of the set's texts; None for a single text


def open_sets(
    paths: Sequence[str | Path],
    *,
    dev: str | Path | None = None,
    train: str | Path | None = None,
    limit: int | None = None,
) -> list[EvaluationSet]:
    """Read the sets that the paths name.

    dev     0/1 pairs on which the thresholds for all 0/1 pairs are chosen
    train   labelled texts from which the probe and the neighbours learn, for all labelled texts
    limit   take so many examples of each file but `dev` (of a BEIR folder: queries), evenly spread over it

    Without `train`, X-test.tsv learns from the X-train.tsv beside it, and then X-train.tsv is no set of its
    own. Raises DataError for a file that is no set, UsageError for options that nothing needs.
    """
    paths = [Path(path) for path in paths]
    kinds = {path: recognise(path) for path in paths}
    for path, kind in kinds.items():
        if kind not in HEADLINES:
            held = "texts without labels" if kind == "texts" else "positives without negatives"
            raise DataError(
                f"{path} holds {held}: give id sentence1 sentence2 label, text label, or a BEIR folder"
            )
    if dev is not None and "binary" not in kinds.values():
        raise UsageError("--dev chooses thresholds for 0/1 pairs, and none of the files holds such pairs")
    if train is not None and "labelled_texts" not in kinds.values():
        raise UsageError("--train is for files of text and label, and none of the files is one")
    thresholds = None if dev is None else read_pairs(dev, kind="binary")
    if thresholds is not None:
        _require_two_labels(thresholds.path, thresholds.labels.tolist())
    learners = {
        path: Path(train) if train is not None else _train_beside(path)
        for path in dict.fromkeys(paths)
        if kinds[path] == "labelled_texts"
    }
    used = {learner.resolve() for learner in learners.values() if learner is not None}
    sets = []
    for path in dict.fromkeys(paths):
        if kinds[path] == "labelled_texts":
            if path.resolve() in used and train is None:
                continue
            sets.append(_labelled_set(path, learners[path], limit))
        elif kinds[path] == "beir":
            sets.append(_retrieval_set(path, limit))
        else:
            sets.append(_pairs_set(path, thresholds if kinds[path] == "binary" else None, limit))
    return sets


def _train_beside(path: Path) -> Path | None:
    stem, found, ending = path.name.rpartition("-test.tsv")
    candidate = path.with_name(f"{stem}-train.tsv{ending}")
    return candidate if found and candidate.is_file() else None


def _name(path: Path) -> str:
    return path.resolve().name.removesuffix(".xz").removesuffix(".tsv")


def _evenly(count: int, limit: int | None) -> np.ndarray:
    """Row numbers: all `count`, or `limit` of them, evenly spread"""
    return np.arange(count) if limit is None or limit >= count else np.arange(limit) * count // limit


def _some(items: Sequence, rows: np.ndarray) -> list:
    return [items[row] for row in rows]


def _limited(count: int, limit: int | None, what: str) -> str:
    return f"{count} {what}" if limit is None or limit >= count else f"{limit} of {count} {what}"


def _pairs_set(path: Path, dev: Pairs | None, limit: int | None) -> EvaluationSet:
    pairs = read_pairs(path)
    rows = _evenly(len(pairs.ids), limit)
    size = _limited(len(pairs.ids), limit, "pairs")
    columns = (_some(column, rows) for column in (pairs.ids, pairs.first, pairs.second))
    pairs = Pairs(path, *columns, pairs.labels[rows], pairs.kind)
    _require_two_labels(path, pairs.labels.tolist(), limit)
    if pairs.kind == "score":
        notes = [f"{size}, scores from {pairs.labels.min():g} to {pairs.labels.max():g}"]
    else:
        where = f"on {dev.path}" if dev else "on these pairs themselves, so accuracy and F1 are optimistic"
        notes = [f"{size}, {pairs.labels.mean():.1%} positive", f"thresholds chosen {where}"]
    return EvaluationSet(_name(path), pairs.kind, pairs, dev, notes)


def _labelled_set(path: Path, train_path: Path | None, limit: int | None) -> EvaluationSet:
    data, size = _labelled_texts(path, limit)
    train, train_size = (None, "") if train_path is None else _labelled_texts(train_path, limit)
    classes = set(data.labels if train is None else train.labels)
    _require_two_labels(path if train is None else train.path, classes, limit)
    if train is None:
        split = f"{fold_count(len(data.texts))}-fold cross-validation"
    else:
        split = f"learned from {train_size} of {train.path.name}"
    notes = [f"{size}, {len(set(data.labels))} classes; {split}"]
    unknown = sum(label not in classes for label in data.labels)
    if unknown:
        notes.append(f"{unknown} texts have a class that is not in {train.path.name}, and count as wrong")
    notes.append(
        f"kNN: {NEIGHBOURS} neighbours by cosine; probe: multinomial logistic, L2, C = {STRENGTH:g}; "
        f"v-measure: k-means with one cluster for each class, mean of {len(SEEDS)} seeds"
    )
    return EvaluationSet(_name(path).removesuffix("-test"), "labelled_texts", data, train, notes)


def _labelled_texts(path: Path, limit: int | None) -> tuple[LabelledTexts, str]:
    data = read_labelled_texts(path)
    rows = _evenly(len(data.texts), limit)
    size = _limited(len(data.texts), limit, "texts")
    return LabelledTexts(path, _some(data.texts, rows), _some(data.labels, rows)), size


def _retrieval_set(path: Path, limit: int | None) -> EvaluationSet:
    data = read_beir(path)
    ids = _some(list(data.queries), _evenly(len(data.queries), limit))
    size = _limited(len(data.queries), limit, "queries")
    data = data._replace(queries={id: data.queries[id] for id in ids})
    return EvaluationSet(_name(path), "beir", data, None, [f"{size}, {len(data.documents)} documents"])


def _require_two_labels(path: Path, labels: Iterable[str | float], limit: int | None = None) -> None:
    different = set(labels)
    if len(different) < 2:
        label = different.pop()
        shown = label if isinstance(label, str) else f"{label:g}"
        taken = "" if limit is None else f" of the {limit} examples that the limit leaves"
        raise DataError(f"{path}: every label{taken} is {shown}, so there is nothing to tell apart")


def evaluate(
    evaluation_set: EvaluationSet,
    encoder: Encoder,
    *,
    name: str = "model",
    with_baselines: bool = True,
    prompt_name: str | None = None,
    truncate_dim: int | None = None,
) -> SetResult:
    """Measure a model and its baselines on one set."""
    gauges: list[Collapse] = []
    results = []
    model = baselines.encoder_system(name, encoder, prompt_name, truncate_dim)
    systems = [model]
    if with_baselines:
        systems = _with_baselines(evaluation_set, model, encoder, prompt_name, truncate_dim)
    for system in systems:
        started = time.perf_counter()
        with warnings.catch_warnings():
            if system is not model:  # cuts the same texts at the same window
                warnings.simplefilter("ignore", TruncationWarning)
            metrics = _measure(evaluation_set, system, gauges)
        results.append(SystemResult(system.name, metrics, time.perf_counter() - started))
    if with_baselines and evaluation_set.task in ("binary", "labelled_texts"):
        started = time.perf_counter()
        metrics = _majority(evaluation_set)
        results.append(SystemResult(MAJORITY, metrics, time.perf_counter() - started))
    path = str(evaluation_set.data.path)
    return SetResult(
        evaluation_set.name,
        evaluation_set.task,
        path,
        evaluation_set.notes,
        results,
        gauges[0] if gauges else None,
    )


def _with_baselines(
    evaluation_set: EvaluationSet,
    model: System,
    encoder: Encoder,
    prompt_name: str | None,
    truncate_dim: int | None,
) -> Iterator[System]:
    """The model, then the systems that make sense for the task, each made when it is its turn."""
    yield model
    fresh = baselines.untrained(encoder)
    yield baselines.encoder_system("untrained", fresh, prompt_name, truncate_dim)
    yield baselines.tf_idf(_texts_to_fit(evaluation_set))
    yield baselines.random_words(truncate_dim or encoder.dimension)
    if evaluation_set.task != "labelled_texts":
        yield from baselines.overlaps()


def _texts_to_fit(evaluation_set: EvaluationSet) -> list[str]:
    data = evaluation_set.data
    if isinstance(data, Pairs):
        return distinct(data.first, data.second)[0]
    if isinstance(data, Retrieval):
        return list(data.documents.values())
    return (evaluation_set.learn_from or data).texts


def _measure(evaluation_set: EvaluationSet, system: System, gauges: list[Collapse]) -> dict[str, float]:
    """One system on one set; the gauges of dense vectors are added to `gauges`."""
    data, learn_from = evaluation_set.data, evaluation_set.learn_from
    if isinstance(data, Retrieval):
        documents = system.rows(list(data.documents.values()), "document")
        queries = system.rows(list(data.queries.values()), "query")
        _gauge(documents, gauges)
        return evaluate_retrieval(queries, documents, data, system.compare_all)
    if isinstance(data, Pairs):
        columns = [data.first, data.second]
        if learn_from is not None:
            columns += [learn_from.first, learn_from.second]
        texts, numbers = distinct(*columns)
        rows = system.rows(texts, "")
        own = 1 + max(numbers[0].max(), numbers[1].max())  # the texts of `data` have the first numbers
        _gauge(rows[:own], gauges)
        scores = [system.compare(rows[a], rows[b]) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        return pairs_metrics(scores[0], data, None if learn_from is None else (scores[1], learn_from))
    return _measure_classes(data, learn_from, system, gauges)


def _measure_classes(
    data: LabelledTexts, train: LabelledTexts | None, system: System, gauges: list[Collapse]
) -> dict[str, float]:
    rows, labels, splits = system.rows(_all_texts(data, train), ""), *_labels_and_splits(data, train)
    if isinstance(rows, np.ndarray):
        rows = rows.astype(np.float64)
    judged = rows[-len(data.texts) :] if train is not None else rows
    _gauge(judged, gauges)

    def neighbours(split: Split) -> np.ndarray:
        return knn(rows[split.train], labels[split.train], rows[split.test])

    def probe(split: Split) -> np.ndarray:
        return logistic_probe(rows[split.train], labels[split.train]).predict(rows[split.test])

    own = as_numbers(data.labels)[0]
    return {
        "knn_accuracy": accuracy(neighbours, labels, splits),
        "probe_accuracy": accuracy(probe, labels, splits),
        "v_measure": clustering_score(judged, own),
    }


def _all_texts(data: LabelledTexts, train: LabelledTexts | None) -> list[str]:
    return data.texts if train is None else [*train.texts, *data.texts]


def _labels_and_splits(data: LabelledTexts, train: LabelledTexts | None) -> tuple[np.ndarray, list[Split]]:
    """Class numbers of `_all_texts`, −1 for one that cannot be learned, and who learns for whom"""
    if train is None:
        labels, _ = as_numbers(data.labels)
        return labels, folds(labels)
    known, names = as_numbers(train.labels)
    labels = np.concatenate([known, as_numbers(data.labels, names)[0]])
    rows = np.arange(len(labels))
    return labels, [Split(rows[: len(known)], rows[len(known) :])]


def _majority(evaluation_set: EvaluationSet) -> dict[str, float]:
    """The same score for every pair, or the most frequent class for every text"""
    data = evaluation_set.data
    if isinstance(data, Pairs):
        dev = evaluation_set.learn_from
        constant = np.zeros(len(data.labels))
        return pairs_metrics(constant, data, None if dev is None else (np.zeros(len(dev.labels)), dev))
    labels, splits = _labels_and_splits(data, evaluation_set.learn_from)

    def most_frequent(split: Split) -> np.ndarray:
        return np.full(len(split.test), Counter(labels[split.train].tolist()).most_common(1)[0][0])

    share = accuracy(most_frequent, labels, splits)
    return {"knn_accuracy": share, "probe_accuracy": share, "v_measure": 0.0}


def _gauge(rows, gauges: list[Collapse]) -> None:
    """The gauges of the first system's vectors, which is the model"""
    if not gauges and isinstance(rows, np.ndarray) and len(rows) > 1:
        gauges.append(collapse_of(rows))
