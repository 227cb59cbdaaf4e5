"""Baselines: each is what its formula says, and the same for many pairs at once as for one."""

import math

import numpy as np
import pytest

from minigpt2 import load
from minigpt2.evaluation.baselines import (
    RandomWords,
    TfIdf,
    encoder_system,
    overlaps,
    random_words,
    tf_idf,
    untrained,
)
from minigpt2.evaluation.overlap import bigram_overlap, unigram_overlap
from minigpt2.evaluation.sparse import toarray

TEXTS = ["The cat sat on the mat.", "A cat sat.", "Stocks fell", "", "the mat", "cat cat cat", "!"]


def test_tf_idf_by_its_formula():
    model = TfIdf(["a b", "a c", "a a"])
    rare, common = 1 + math.log(4 / 2), 1 + math.log(4 / 4)
    expected = np.array([[2 * common, rare, 0.0]]) / math.hypot(2 * common, rare)
    np.testing.assert_allclose(toarray(model.rows(["b A a unknown"])), expected)
    np.testing.assert_array_equal(toarray(model.rows(["unknown"])), 0.0)


@pytest.mark.parametrize("make", [lambda: tf_idf(TEXTS), lambda: random_words(40)])
def test_vectors_have_length_one_and_compare_alike_in_pairs_and_all(make):
    system = make()
    rows = system.rows(TEXTS, "")
    lengths = np.linalg.norm(toarray(rows), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 0, 1, 1, 0], atol=1e-12)
    everything = system.compare_all(rows, rows)
    np.testing.assert_allclose(system.compare(rows, rows[::-1]), np.fliplr(everything).diagonal(), atol=1e-12)
    assert system.has_vectors
    assert everything[0, 1] > everything[0, 2]  # common words


def test_random_words_are_seeded_by_the_word():
    a, b = RandomWords(50), RandomWords(50)
    b.rows(["another order of words"])
    np.testing.assert_array_equal(a.rows(["cat"]), b.rows(["CAT"]))
    rows = a.rows(["cat", "dog", "cat dog"])
    np.testing.assert_allclose(np.abs(rows[0]), 1 / math.sqrt(50))
    both = rows[0] + rows[1]
    np.testing.assert_allclose(rows[2], both / np.linalg.norm(both), atol=1e-12)
    many = RandomWords(400).rows([f"word{i}" for i in range(200)])
    cosines = many @ many.T - np.eye(200)
    assert abs(cosines.mean()) < 0.002
    assert cosines.std() == pytest.approx(1 / math.sqrt(400), rel=0.05)


def test_overlap_of_many_is_that_of_one_pair():
    for system, pairwise in zip(overlaps(), (unigram_overlap, bigram_overlap), strict=True):
        a = system.rows(TEXTS, "")
        b = system.rows([*TEXTS[::-1], "more new words"], "")[np.arange(7)]  # the space has grown since
        np.testing.assert_allclose(system.compare(a, b), pairwise(TEXTS, TEXTS[::-1]))
        expected = [pairwise([text] * 7, TEXTS[::-1]) for text in TEXTS]
        np.testing.assert_allclose(system.compare_all(a, b), expected)
        assert not system.has_vectors


def test_untrained_has_the_shape_and_not_the_parameters():
    encoder = load()
    fresh = untrained(encoder)
    assert fresh.model.config == encoder.model.config
    assert fresh.settings == encoder.settings
    assert fresh.tokenizer is encoder.tokenizer
    assert not np.allclose(fresh.encode("a cat"), encoder.encode("a cat"))
    np.testing.assert_array_equal(fresh.encode("a cat"), untrained(encoder).encode("a cat"))


def test_an_encoder_takes_its_prompts_where_they_belong(xp):
    encoder = load(xp=xp)
    encoder.settings.prompts.update({"query": "q: ", "document": "d: "})
    system = encoder_system("nano", encoder)
    for role, prompt in (("", ""), ("query", "q: "), ("document", "d: ")):
        expected = encoder.encode([f"{prompt}a cat"])
        np.testing.assert_allclose(system.rows(["a cat"], role), expected, atol=1e-6)
    named = encoder_system("nano", encoder, prompt_name="query", truncate_dim=8).rows(["a cat"], "document")
    np.testing.assert_allclose(named, encoder.encode(["q: a cat"], truncate_dim=8), atol=1e-6)
