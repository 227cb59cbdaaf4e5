"""The sampler's promises, for examples of every kind that hypothesis can think of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigpt2.errors import DataError, UsageError
from minigpt2.training.sampler import batches_of_epoch


@st.composite
def example_sets(draw):
    """columns (M, C) with −1 where there is none, and lengths (M, C)"""
    M = draw(st.integers(1, 120))
    C = draw(st.integers(1, 3))
    texts = draw(st.integers(2, 300))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    columns = rng.integers(0, texts, (M, C)).astype(np.int32)
    if C == 3:
        columns[rng.random(M) < 0.5, 2] = -1
    return columns, lengths_of(columns, draw(st.integers(1, 60)), rng)


def lengths_of(columns, longest, rng, shortest=1):
    """(M, C): a random number of tokens for each text, 0 for none"""
    of_text = rng.integers(shortest, longest + 1, columns.max() + 2)
    of_text[-1] = 0  # what −1 finds
    return of_text[columns]


def texts_of(columns, example):
    return set(columns[example].tolist()) - {-1}


@given(
    example_sets(),
    st.integers(1, 40),
    st.none() | st.integers(1, 400),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([1, 2]),
)
@settings(max_examples=300, deadline=None)
def test_every_promise(data, batch_size, batch_tokens, seed, epoch, at_least):
    columns, lengths = data
    tokens = lengths.sum(axis=1)
    try:
        batches = batches_of_epoch(columns, lengths, batch_size, batch_tokens, seed, epoch, at_least)
    except (DataError, UsageError):
        assert at_least == 2  # single examples always fit
        return
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(columns)))
    for batch in batches:
        assert at_least <= len(batch) <= batch_size
        if batch_tokens is not None:
            assert len(batch) == 1 or tokens[batch].sum() <= batch_tokens
        seen = [texts_of(columns, example) for example in batch]
        assert sum(map(len, seen)) == len(set().union(*seen))
    again = batches_of_epoch(columns, lengths, batch_size, batch_tokens, seed, epoch, at_least)
    assert [batch.tolist() for batch in again] == [batch.tolist() for batch in batches]


def pairs_of(M, texts, seed=0):
    rng = np.random.default_rng(seed)
    columns = rng.integers(0, texts, (M, 2)).astype(np.int32)
    return columns, lengths_of(columns, 40, rng, shortest=3)


def test_batches_differ_from_epoch_to_epoch_and_from_seed_to_seed():
    columns, lengths = pairs_of(2000, 1500)

    def batches(seed, epoch):
        return {frozenset(b.tolist()) for b in batches_of_epoch(columns, lengths, 16, None, seed, epoch)}

    assert not batches(0, 0) & batches(0, 1)
    assert not batches(0, 0) & batches(1, 0)


def test_examples_of_a_batch_are_of_similar_length():
    columns, lengths = pairs_of(4000, 10**6)
    batches = batches_of_epoch(columns, lengths, 32, None, 0, 0)
    longest, tokens = lengths.max(axis=1), lengths.sum(axis=1)
    assert np.mean([longest[batch].std() for batch in batches]) < 0.1 * longest.std()
    assert np.mean([tokens[batch].std() for batch in batches]) < 0.6 * tokens.std()
    distinct = np.mean([len(np.unique(lengths[batch])) for batch in batches])
    assert distinct < 0.6 * np.mean([len(np.unique(lengths[i : i + 32])) for i in range(0, 4000, 32)])


def test_batches_are_full_where_nothing_hinders():
    columns, lengths = pairs_of(4000, 10**6)
    assert len(batches_of_epoch(columns, lengths, 32, None, 0, 0)) == 125
    by_tokens = batches_of_epoch(columns, lengths, 10**6, 1000, 0, 0)
    assert len(by_tokens) < 1.05 * lengths.sum() / 1000


def test_texts_that_repeat_often_leave_batches_almost_full():
    columns, lengths = pairs_of(3000, 1500)
    assert len(batches_of_epoch(columns, lengths, 32, None, 0, 0, at_least=2)) == 94


def test_a_text_in_more_examples_than_there_are_batches():
    columns, lengths = pairs_of(200, 10**6)
    columns[:40, 0] = 7
    batches = batches_of_epoch(columns, lengths, 32, None, 0, 0, at_least=2)
    assert 40 <= len(batches) <= 55
    assert sum(7 in columns[example] for batch in batches for example in batch) == 40
    assert all(sum(7 in columns[example] for example in batch) <= 1 for batch in batches)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_a_frequent_text_makes_batches_smaller_and_not_most_of_them_tiny(share):
    M = 6000
    columns, lengths = pairs_of(M, 10**6)
    columns[: int(share * M), 1] = 7
    sizes = [len(batch) for batch in batches_of_epoch(columns, lengths, 128, None, 0, 0, at_least=2)]
    assert np.median(sizes) > 0.8 / share
    assert np.mean(np.array(sizes) < 0.5 / share) < 0.05


def test_a_text_twice_within_an_example_hinders_nothing():
    columns, lengths = np.arange(500)[:, None], np.random.default_rng(0).integers(3, 40, (500, 1))
    single = batches_of_epoch(columns, lengths, 32, None, 0, 0)
    double = batches_of_epoch(columns.repeat(2, axis=1), lengths.repeat(2, axis=1), 32, None, 0, 0)
    assert len(single) == len(double)
    assert all(map(np.array_equal, single, double))


def test_refusals():
    columns, lengths = pairs_of(50, 10**6)
    with pytest.raises(UsageError, match="batch_size 2 is too small for an objective that compares"):
        batches_of_epoch(columns, lengths, 2, None, 0, 0, at_least=2)
    with pytest.raises(UsageError, match="batch_tokens 50 is too small: the three longest examples have"):
        batches_of_epoch(columns, lengths, 8, 50, 0, 0, at_least=2)
    with pytest.raises(DataError, match="give at least 2, not 1"):
        batches_of_epoch(columns[:1], lengths[:1], 8, None, 0, 0, at_least=2)
    columns[:, 0] = 3
    with pytest.raises(DataError, match="one text stands in 50 of 50 examples"):
        batches_of_epoch(columns, lengths, 8, None, 0, 0, at_least=2)
