"""What a validation measures, against the same written out naively, and which of two is better."""

import math
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import tiny_encoder, word_pairs

from minigpt2.datasets import Pairs
from minigpt2.errors import DataError
from minigpt2.evaluation.metrics import auc, spearman
from minigpt2.ragged import TokenBatch
from minigpt2.training import validation as validation_module
from minigpt2.training.validation import Validation


@pytest.fixture(autouse=True)
def many_batches(monkeypatch):
    monkeypatch.setattr(validation_module, "BATCH_SIZE", 7)


def cosines_of(pairs, encoder):
    first, second = (encoder.encode(side, normalize_embeddings=True) for side in (pairs.first, pairs.second))
    return (first * second).sum(axis=1)


def test_pairs_with_labels(xp):
    encoder, pairs = tiny_encoder(xp), word_pairs(30)
    measured = Validation(pairs, encoder, "info_nce").measure(encoder)
    cosines = cosines_of(pairs, tiny_encoder())
    assert measured.metrics["auc"] == pytest.approx(auc(cosines, pairs.labels), abs=1e-3)
    np.testing.assert_allclose(measured.positives, cosines[pairs.labels == 1], atol=1e-5)
    np.testing.assert_allclose(measured.negatives, cosines[pairs.labels == 0], atol=1e-5)
    difference = 2.0 - 2.0 * cosines[pairs.labels == 1]
    assert measured.collapse.alignment == pytest.approx(difference.mean(), abs=1e-5)


def test_pairs_with_scores_belong_together_in_the_top_quarter_of_the_scale():
    encoder, pairs = tiny_encoder(), word_pairs(6)
    labels = np.array([1.0, 2.0, 2.1, 3.9, 4.0, 5.0])  # a quarter of the scale is 1 wide
    scored = Pairs(Path("s.tsv"), pairs.ids, pairs.first, pairs.second, labels, "score")
    measured = Validation(scored, encoder, "cosent").measure(encoder)
    cosines = cosines_of(scored, encoder)
    np.testing.assert_allclose(measured.negatives, cosines[:2], atol=1e-6)
    np.testing.assert_allclose(measured.positives, cosines[4:], atol=1e-6)
    assert measured.metrics["spearman"] == pytest.approx(spearman(cosines, labels))


def test_the_loss_of_a_language_model_is_the_mean_over_all_tokens(xp):
    encoder = tiny_encoder(xp)
    texts = ["a", "ab", "the cat", "a much longer text than those", "ab"] * 4
    measured = Validation(texts, encoder, "language_model").measure(encoder)
    distinct = [encoder.tokenizer.encode(text) for text in dict.fromkeys(texts) if len(text) > 1]
    losses = [float(encoder.model.loss(TokenBatch([ids], xp))[0]) for ids in distinct]
    predicted = [len(ids) - 1 for ids in distinct]
    assert measured.metrics["loss"] == pytest.approx(np.average(losses, weights=predicted), rel=1e-5)
    assert measured.metrics["perplexity"] == pytest.approx(math.exp(measured.metrics["loss"]))
    assert measured.collapse is None


def test_a_loss_is_better_when_low_and_anything_else_when_high():
    encoder = tiny_encoder()
    loss = Validation(["ab", "cd"], encoder, "language_model")
    area = Validation(word_pairs(4), encoder, "info_nce")
    assert [loss.compare(value, 1.0) for value in (0.9, 1.0, 1.1)] == [1, 0, -1]
    assert [area.compare(value, 0.8) for value in (0.9, 0.8, 0.7)] == [1, 0, -1]
    assert loss.compare(9.0, None) == area.compare(0.0, None) == 1


def test_what_measures_nothing_is_refused():
    encoder, pairs = tiny_encoder(), word_pairs(4)
    with pytest.raises(DataError, match="every label is 1"):
        Validation(pairs._replace(labels=np.ones(4)), encoder, "info_nce")
    with pytest.raises(DataError, match="no validation text has two tokens"):
        Validation(["a", "b"], encoder, "language_model")


def test_vectors_that_are_no_numbers_give_a_metric_that_is_none():
    encoder = tiny_encoder()
    validation = Validation(word_pairs(4), encoder, "info_nce")
    encoder.model.parameters.flat[:] = np.nan
    with np.errstate(all="ignore"):
        assert math.isnan(validation.measure(encoder).metrics["auc"])
