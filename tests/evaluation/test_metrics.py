"""Metrics against their definitions, spelled out as loops over pairs, thresholds and orders."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigpt2.backend import asarray
from minigpt2.errors import DataError, UsageError
from minigpt2.evaluation.metrics import (
    accuracy_at,
    auc,
    average_precision,
    best_threshold,
    f1_at,
    mrr,
    ndcg,
    pearson,
    ranks,
    recall,
    spearman,
    v_measure,
)

TIED = st.integers(-3, 3).map(float)  # few values, so that many are equal


@st.composite
def scores_and_labels(draw):
    """Scores with many ties and 0/1 labels with both kinds among them."""
    labels = draw(st.lists(st.integers(0, 1), min_size=2, max_size=9).filter(lambda y: 0 < sum(y) < len(y)))
    return [draw(TIED) for _ in labels], labels


@st.composite
def query(draw):
    """Scores and graded relevance of at most 6 documents, one of them relevant, and a k."""
    relevance = draw(st.lists(st.integers(0, 2), min_size=1, max_size=6).filter(any))
    return [draw(TIED) for _ in relevance], relevance, draw(st.integers(1, 7))


class TestCorrelation:
    def test_ranks_share_ties(self):
        assert ranks(np.array([10.0, 30.0, 10.0, 20.0])).tolist() == [1.5, 4.0, 1.5, 3.0]

    def test_pearson_is_covariance_over_both_deviations(self, rng):
        a, b = rng.standard_normal(50), rng.standard_normal(50)
        mean_a, mean_b = sum(a) / 50, sum(b) / 50
        covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
        deviations = sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)
        assert pearson(a, b) == pytest.approx(covariance / math.sqrt(deviations), rel=1e-12)

    def test_spearman_sees_only_the_order(self, rng):
        a, b = rng.standard_normal(20), rng.standard_normal(20)
        assert spearman(np.exp(a), b**3) == spearman(a, b)
        assert spearman(a, np.exp(a)) == pytest.approx(1.0)
        assert pearson(a, np.exp(a)) < 0.99
        assert spearman(a, -a) == pytest.approx(-1.0)

    def test_spearman_without_ties_by_its_classical_formula(self, rng):
        a, b = rng.permutation(9), rng.permutation(9)
        assert spearman(a, b) == pytest.approx(1 - 6 * ((a - b) ** 2).sum() / (9 * 80))

    def test_constant_scores_follow_nothing_and_constant_labels_measure_nothing(self):
        assert pearson([2.0, 2.0], [0.0, 1.0]) == spearman([2.0, 2.0], [0.0, 1.0]) == 0.0
        for measure in (pearson, spearman):
            with pytest.raises(DataError, match="all 2 labels are 3"):
                measure([0.0, 1.0], [3.0, 3.0])

    @pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 1e308])
    def test_any_scale(self, scale):
        values = np.array([0.0, 1.0, -1.0, 1.5])
        expected = pearson(values, [1.0, 2.0, 0.0, 2.0])
        assert pearson(values * scale, [1.0, 2.0, 0.0, 2.0]) == pytest.approx(expected, rel=1e-2)


class TestLabels:
    @settings(deadline=None)
    @given(scores_and_labels())
    def test_auc_counts_pairs(self, data):
        scores, labels = data
        positive = [s for s, y in zip(scores, labels, strict=True) if y]
        negative = [s for s, y in zip(scores, labels, strict=True) if not y]
        won = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative)
        assert auc(scores, labels) == pytest.approx(won / len(positive) / len(negative))

    @settings(deadline=None)
    @given(scores_and_labels())
    def test_average_precision_steps_through_thresholds(self, data):
        scores, labels = np.array(data[0]), np.array(data[1])
        expected, last = 0.0, 0.0
        for threshold in sorted(set(scores), reverse=True):
            called = scores >= threshold
            hits = labels[called].sum()
            expected += (hits / labels.sum() - last) * hits / called.sum()
            last = hits / labels.sum()
        assert average_precision(scores, labels) == pytest.approx(expected)

    @pytest.mark.parametrize(("metric", "at"), [("accuracy", accuracy_at), ("f1", f1_at)])
    @settings(deadline=None)
    @given(data=scores_and_labels())
    def test_no_threshold_is_better_than_the_best(self, metric, at, data):
        scores, labels = data
        best = best_threshold(scores, labels, metric)
        tried = [at(scores, labels, t) for t in (*scores, max(scores) + 1.0)]
        assert best.value == pytest.approx(max(tried))
        assert at(scores, labels, best.threshold) == pytest.approx(best.value)

    def test_the_threshold_is_in_the_middle_and_the_highest_of_equals(self):
        assert best_threshold([0.0, 1.0, 3.0], [0, 0, 1]).threshold == 2.0
        assert best_threshold([0.0, 1.0, 2.0, 3.0], [0, 1, 0, 1]).threshold == 2.5  # 0.5 is as good
        assert best_threshold([5.0, 4.0, 3.0], [0, 0, 1]).threshold > 5.0  # best to call nothing positive
        assert best_threshold([5.0, 4.0, 3.0], [0, 1, 1]).threshold == 3.0  # best to call all positive
        near = np.nextafter(1.0, 2.0)
        assert best_threshold([1.0, near], [0, 1]) == (near, 1.0)

    def test_accuracy_and_f1_at_a_threshold(self):
        scores, labels = [0.9, 0.8, 0.4, 0.3, 0.1], [1, 0, 1, 0, 0]
        assert accuracy_at(scores, labels, 0.8) == 3 / 5
        assert f1_at(scores, labels, 0.8) == 2 * 1 / (2 + 2)
        assert f1_at(scores, labels, 2.0) == 0.0

    @pytest.mark.parametrize("measure", [auc, average_precision, best_threshold])
    def test_refused(self, measure):
        with pytest.raises(DataError, match="all 2 labels are 1"):
            measure([0.0, 1.0], [1, 1])
        with pytest.raises(DataError, match=r"label 4\.5 is neither 0 nor 1"):
            measure([0.0, 1.0, 2.0], [0, 1, 4.5])
        with pytest.raises(DataError, match="scores hold nan in row 1"):
            measure([0.0, np.nan], [0, 1])
        with pytest.raises(UsageError, match="2 scores and 3 labels"):
            measure([0.0, 1.0], [0, 1, 1])
        with pytest.raises(UsageError, match="shape"):
            measure([], [])

    def test_unknown_metric(self):
        with pytest.raises(UsageError, match="unknown metric 'f2'"):
            best_threshold([0.0, 1.0], [0, 1], "f2")


class TestRankings:
    """Every order that the tied documents could have, each as likely."""

    @staticmethod
    def mean_over_orders(scores, relevance, of_an_order):
        orders = [
            [relevance[i] for i in order]
            for order in itertools.permutations(range(len(scores)))
            if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
        ]
        return sum(map(of_an_order, orders)) / len(orders)

    @settings(deadline=None)
    @given(query())
    def test_ndcg(self, data):
        scores, relevance, k = data

        def dcg(order):
            return sum(r / math.log2(place + 1) for place, r in enumerate(order[:k], 1))

        expected = self.mean_over_orders(scores, relevance, dcg) / dcg(sorted(relevance, reverse=True))
        assert ndcg(scores, relevance, k) == pytest.approx(expected)

    @settings(deadline=None)
    @given(query())
    def test_mrr(self, data):
        scores, relevance, k = data

        def reciprocal(order):
            return next((1 / place for place, r in enumerate(order[:k], 1) if r), 0.0)

        assert mrr(scores, relevance, k) == pytest.approx(
            self.mean_over_orders(scores, relevance, reciprocal)
        )

    @settings(deadline=None)
    @given(query())
    def test_recall(self, data):
        scores, relevance, k = data

        def found(order):
            return sum(r > 0 for r in order[:k]) / sum(r > 0 for r in relevance)

        assert recall(scores, relevance, k) == pytest.approx(self.mean_over_orders(scores, relevance, found))

    def test_by_hand(self):
        scores, relevance = [0.9, 0.8, 0.7, 0.6], [0, 2, 0, 1]
        assert mrr(scores, relevance) == 1 / 2
        assert recall(scores, relevance, 2) == 1 / 2
        ideal = 2 / math.log2(2) + 1 / math.log2(3)
        assert ndcg(scores, relevance) == pytest.approx((2 / math.log2(3) + 1 / math.log2(5)) / ideal)

    @pytest.mark.parametrize("measure", [ndcg, mrr, recall])
    def test_refused(self, measure):
        with pytest.raises(DataError, match="needs a relevant document"):
            measure([0.1, 0.2], [0, 0])
        with pytest.raises(DataError, match="may be negative"):
            measure([0.1, 0.2], [1, -1])
        for k in (0, True, 1.0):
            with pytest.raises(UsageError, match="k must be"):
                measure([0.1, 0.2], [1, 0], k)


class TestVMeasure:
    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), min_size=1, max_size=12))
    def test_by_conditional_entropies(self, rows):
        def entropy(values, given):
            """H(values | given) in nats, by counting"""
            total = 0.0
            for g in set(given):
                inside = [v for v, h in zip(values, given, strict=True) if h == g]
                for v in set(inside):
                    total -= inside.count(v) / len(values) * math.log(inside.count(v) / len(inside))
            return total

        clusters, classes = [c for c, _ in rows], [k for _, k in rows]
        nothing = [0] * len(rows)
        of_class, of_cluster = entropy(classes, nothing), entropy(clusters, nothing)
        homogeneity = 1.0 - entropy(classes, clusters) / of_class if of_class else 1.0
        completeness = 1.0 - entropy(clusters, classes) / of_cluster if of_cluster else 1.0
        total = homogeneity + completeness
        expected = 2 * homogeneity * completeness / total if total else 0.0
        assert v_measure(clusters, classes) == pytest.approx(expected, abs=1e-12)

    def test_names_do_not_matter(self):
        assert v_measure([5, 5, 9], ["b", "b", "a"]) == pytest.approx(1.0)
        assert v_measure([0, 0], ["a", "a"]) == 1.0
        assert v_measure([0, 0], ["a", "b"]) == 0.0

    def test_refused(self):
        with pytest.raises(UsageError, match="equal length"):
            v_measure([0, 1], [0])


def test_arrays_of_either_module(xp):
    scores, labels = asarray(np.array([0.1, 0.9, 0.4]), xp), asarray(np.array([0.0, 1.0, 1.0]), xp)
    assert auc(scores, labels) == 1.0
    assert spearman(scores, labels) == pytest.approx(math.sqrt(3) / 2)
    assert best_threshold(scores, labels).threshold == pytest.approx(0.25)
    assert ndcg(scores, labels) == 1.0
    assert v_measure(labels, labels) == pytest.approx(1.0)
