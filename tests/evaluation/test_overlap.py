"""Common words and common pairs of words."""

import pytest

from minigpt2.evaluation.overlap import bigram_overlap, bigrams, jaccard, unigram_overlap, unigrams, words


def test_words_are_lower_case_runs_of_letters_and_digits():
    assert words("It's ÉTÉ, 5.0!") == ["it", "s", "été", "5", "0"]
    assert words("...") == []


def test_members():
    assert unigrams("a b a") == {"a", "b"}
    assert bigrams("a b a") == {("a", "b"), ("b", "a")}
    assert bigrams("a") == bigrams("") == set()


def test_jaccard():
    assert jaccard({1, 2, 3}, {2, 3, 4, 5}) == 2 / 5
    assert jaccard(set(), set()) == jaccard({1}, set()) == 0.0


def test_order_shows_in_pairs_of_words_only():
    first, second = ["the dog bit the man", "one"], ["The man bit the dog.", "one"]
    assert unigram_overlap(first, second).tolist() == [1.0, 1.0]
    assert bigram_overlap(first, second).tolist() == [pytest.approx(3 / 5), 0.0]
