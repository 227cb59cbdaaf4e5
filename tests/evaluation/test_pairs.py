"""Scores of pairs against their labels, with thresholds from where they should come."""

from pathlib import Path

import numpy as np
import pytest

from minigpt2.backend import asarray
from minigpt2.datasets import Pairs
from minigpt2.errors import DataError, UsageError
from minigpt2.evaluation import metrics
from minigpt2.evaluation.pairs import distinct, pairs_metrics


def make_pairs(labels, kind, name="a.tsv"):
    texts = [f"text {i}" for i in range(len(labels))]
    return Pairs(Path(name), list(map(str, range(len(labels)))), texts, texts[::-1], np.array(labels), kind)


SCORES = np.array([0.9, 0.7, 0.6, 0.3, 0.2])
BINARY = make_pairs([1.0, 0.0, 1.0, 0.0, 0.0], "binary")


def test_binary_without_dev(xp):
    found = pairs_metrics(asarray(SCORES, xp), BINARY)
    assert found == {
        "auc": 5 / 6,
        "average_precision": pytest.approx((1 + 2 / 3) / 2),
        "accuracy": 4 / 5,
        "f1": pytest.approx(4 / 5),
        "threshold": pytest.approx(0.8),  # of the two that reach 4/5 the higher
        "f1_threshold": pytest.approx(0.45),
    }
    assert all(type(value) is float for value in found.values())


def test_thresholds_come_from_dev():
    dev = (np.array([0.25, 0.0]), make_pairs([1.0, 0.0], "binary", "dev.tsv"))
    found = pairs_metrics(SCORES, BINARY, dev)
    assert found["threshold"] == found["f1_threshold"] == 0.125
    assert found["accuracy"] == metrics.accuracy_at(SCORES, BINARY.labels, 0.125) == 2 / 5
    assert found["f1"] == metrics.f1_at(SCORES, BINARY.labels, 0.125)
    assert found["auc"] == 5 / 6


def test_scores(rng):
    labels = rng.random(20)
    scores = rng.random(20)
    found = pairs_metrics(scores, make_pairs(labels, "score"))
    assert found == {
        "spearman": metrics.spearman(scores, labels),
        "pearson": metrics.pearson(scores, labels),
    }


def test_refused():
    with pytest.raises(DataError, match="all 2 labels are 1"):
        pairs_metrics([0.1, 0.2], make_pairs([1.0, 1.0], "binary"))
    with pytest.raises(DataError, match="scores hold nan"):
        pairs_metrics([0.1, np.nan], make_pairs([1.0, 0.0], "binary"))
    dev = ([0.1, 0.2], make_pairs([1.0, 0.5], "score", "dev.tsv"))
    with pytest.raises(UsageError, match=r"dev\.tsv holds scores"):
        pairs_metrics(SCORES, BINARY, dev)


def test_distinct():
    texts, rows = distinct(["a", "b", "a"], ["c", "a", "b"])
    assert texts == ["a", "b", "c"]
    assert [side.tolist() for side in rows] == [[0, 1, 0], [2, 0, 1]]
