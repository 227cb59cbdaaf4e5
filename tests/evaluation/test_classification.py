"""Neighbours and the linear probe: against loops, against finite differences, and at the minimum."""

import numpy as np
import pytest
from test_sparse import as_sparse

from minigpt2.errors import DataError, UsageError
from minigpt2.evaluation import classification
from minigpt2.evaluation.classification import (
    Split,
    accuracy,
    as_numbers,
    folds,
    knn,
    logistic_probe,
    minimise,
)


@pytest.fixture(params=["dense", "sparse"])
def rows(request, rng):
    """(60, 9) rows of length 1 around three directions, and their classes, two of three of them"""
    classes = rng.integers(0, 3, 60)
    x = np.eye(3, 9)[classes] + 0.5 * rng.standard_normal((60, 9))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return (x if request.param == "dense" else as_sparse(x)), classes


class TestNeighbours:
    @pytest.mark.parametrize("k", [1, 5, 100])
    @pytest.mark.parametrize("block", [1, 1 << 23])
    def test_against_a_loop(self, rows, monkeypatch, k, block):
        monkeypatch.setattr(classification, "_BLOCK", block)
        x, classes = rows
        dense = x if isinstance(x, np.ndarray) else x.toarray()
        found = knn(x[:40], classes[:40], x[40:], k)
        for row, predicted in zip(dense[40:], found, strict=True):
            near = sorted(range(40), key=lambda i, row=row: -(row @ dense[i]))[:k]
            votes = [
                (sum(classes[i] == c for i in near), sum(row @ dense[i] for i in near if classes[i] == c))
                for c in range(3)
            ]
            assert votes[predicted] == max(votes)

    def test_equal_votes_go_to_the_closer_class(self):
        train = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])
        labels = np.array([1, 0, 0, 1])
        assert knn(train, labels, np.array([[0.8, 0.6]]), k=4).tolist() == [0]
        assert knn(train, labels, np.array([[1.0, 0.0]]), k=1).tolist() == [1]


class TestProbe:
    @pytest.mark.parametrize("strength", [0.1, 10.0])
    def test_the_gradient_of_its_loss_vanishes(self, rows, strength):
        """By finite differences of the loss, written as a loop over rows."""
        x, classes = rows
        dense = x if isinstance(x, np.ndarray) else x.toarray()
        probe = logistic_probe(x, classes, strength, tolerance=1e-9)

        def loss(weight, bias):
            total = (weight**2).sum() / (2 * strength * len(dense))
            for row, label in zip(dense, classes, strict=True):
                logits = row @ weight + bias
                total -= (logits[label] - np.log(np.exp(logits).sum())) / len(dense)
            return total

        least = loss(*probe)
        rng = np.random.default_rng(0)
        for _ in range(20):
            step = 1e-4 * rng.standard_normal(probe.weight.shape), 1e-4 * rng.standard_normal(3)
            there = loss(probe.weight + step[0], probe.bias + step[1])
            back = loss(probe.weight - step[0], probe.bias - step[1])
            assert there >= least
            assert abs(there - back) < 1e-10

    def test_it_learns_what_is_linear(self, rows):
        x, classes = rows
        probe = logistic_probe(x, classes, strength=1e4)
        assert (probe.predict(x) == classes).mean() > 0.9
        assert probe.weight.shape == (9, 3)

    def test_classes_without_rows_are_never_predicted(self, rng):
        x, labels = rng.standard_normal((30, 4)), np.repeat([0, 3], 15)
        assert set(logistic_probe(x, labels).predict(x).tolist()) <= {0, 3}


class TestMinimise:
    def test_a_narrow_valley(self, rng):
        """A quadratic whose curvature spans six orders of magnitude: gradient descent would take millions."""
        turn, _ = np.linalg.qr(rng.standard_normal((8, 8)))
        curvature = turn @ np.diag(np.logspace(0, 6, 8)) @ turn.T
        lowest = rng.standard_normal(8)

        def valley(x):
            slope = curvature @ (x - lowest)
            return 0.5 * (x - lowest) @ slope, slope

        np.testing.assert_allclose(minimise(valley, np.zeros(8), 1e-12), lowest, atol=1e-4)

    def test_at_the_minimum_it_stays(self):
        np.testing.assert_array_equal(minimise(lambda x: (float(x @ x), 2 * x), np.zeros(3)), np.zeros(3))

    def test_it_ends_where_rounding_leaves_nothing_to_gain(self):
        end = minimise(lambda x: (1e9 + float(x @ x), 2 * x), np.array([1e-3]), tolerance=0.0)
        assert abs(end[0]) <= 1e-3


class TestFolds:
    def test_every_row_is_judged_once_and_classes_are_dealt_out_evenly(self, rng):
        labels = np.repeat([0, 1, 2], [50, 20, 7])
        splits = folds(labels)
        assert len(splits) == 5
        np.testing.assert_array_equal(np.sort(np.concatenate([s.test for s in splits])), np.arange(77))
        for split in splits:
            assert sorted([*split.train, *split.test]) == list(range(77))
            counts = np.bincount(labels[split.test], minlength=3)
            assert (np.abs(counts - np.array([10, 4, 7 / 5])) <= 1).all()
        again = folds(labels)
        assert all((a.test == b.test).all() for a, b in zip(splits, again, strict=True))

    def test_many_rows(self, monkeypatch):
        monkeypatch.setattr(classification, "MANY", 7)
        assert [len(split.test) for split in folds(np.zeros(7, int))] == [2, 2, 1, 1, 1]
        assert [len(split.test) for split in folds(np.zeros(8, int))] == [4, 4]

    def test_few_rows(self):
        assert [len(split.test) for split in folds(np.array([0, 1, 1]))] == [1, 1, 1]
        with pytest.raises(DataError, match="cannot be split"):
            folds(np.array([0]))


def test_as_numbers():
    numbers, names = as_numbers(["b", "a", "b"])
    assert (numbers.tolist(), names) == ([1, 0, 1], ["a", "b"])
    assert as_numbers(["c", "b"], names)[0].tolist() == [-1, 1]


def test_accuracy_is_over_all_splits_together():
    labels = np.array([0, 1, 1, 1])
    splits = [Split(np.arange(4), np.array([0])), Split(np.arange(4), np.array([1, 2, 3]))]
    assert accuracy(lambda split: np.ones(len(split.test)), labels, splits) == 3 / 4
    with pytest.raises(UsageError, match="at least one split"):
        accuracy(lambda split: labels, labels, [])
