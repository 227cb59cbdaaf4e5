"""Metrics against scipy and scikit-learn, with many ties."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from minigpt2.evaluation import metrics
from minigpt2.evaluation.baselines import TfIdf
from minigpt2.evaluation.classification import logistic_probe


@pytest.fixture(params=["ties", "no ties"])
def scores(request, rng):
    values = rng.standard_normal(400)
    return np.round(values, 1) if request.param == "ties" else values


def test_correlations(scores, rng):
    for labels in (rng.integers(0, 6, 400).astype(float), scores + rng.standard_normal(400)):
        assert metrics.spearman(scores, labels) == pytest.approx(
            stats.spearmanr(scores, labels)[0], abs=1e-12
        )
        assert metrics.pearson(scores, labels) == pytest.approx(stats.pearsonr(scores, labels)[0], abs=1e-12)


def test_scores_against_labels(scores, rng):
    labels = (scores + rng.standard_normal(400) > 0.5).astype(int)
    assert metrics.auc(scores, labels) == pytest.approx(oracle.roc_auc_score(labels, scores), abs=1e-12)
    expected = oracle.average_precision_score(labels, scores)
    assert metrics.average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)
    for threshold in (-1.0, 0.0, 0.3):
        predicted = (scores >= threshold).astype(int)
        assert metrics.f1_at(scores, labels, threshold) == pytest.approx(oracle.f1_score(labels, predicted))
        expected = oracle.accuracy_score(labels, predicted)
        assert metrics.accuracy_at(scores, labels, threshold) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 10, 100, 500])
def test_ndcg(scores, rng, k):
    relevance = rng.integers(0, 4, 400).astype(float)
    expected = oracle.ndcg_score(relevance[None], scores[None], k=k)
    assert metrics.ndcg(scores, relevance, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("clusters", [1, 2, 7, 200])
def test_v_measure(rng, clusters):
    found, classes = rng.integers(0, clusters, 300), rng.integers(0, 5, 300)
    expected = oracle.v_measure_score(classes, found)
    assert metrics.v_measure(found, classes) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("strength", [0.1, 10.0, 1000.0])
def test_logistic_probe(rng, strength):
    labels = rng.integers(0, 4, 300)
    x = np.eye(4, 12)[labels] + rng.standard_normal((300, 12))
    ours = logistic_probe(x, labels, strength, tolerance=1e-9)
    theirs = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(x, labels)
    np.testing.assert_allclose(ours.weight.T, theirs.coef_, atol=1e-4 * np.abs(theirs.coef_).max())
    # Only differences of biases matter.
    np.testing.assert_allclose(
        ours.bias - ours.bias.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4
    )
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))


def test_tf_idf():
    texts = ["The cat sat on the mat.", "a cat, a dog", "", "stocks fell 5 percent", "cat"]
    theirs = TfidfVectorizer(token_pattern=r"\w+").fit(texts)
    new = [*texts, "cat unknown mat"]
    ours = TfIdf(texts).rows(new).toarray()
    np.testing.assert_allclose(ours, theirs.transform(new).toarray(), atol=1e-12)
