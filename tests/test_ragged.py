import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt2.backend import to_numpy
from minigpt2.errors import DataError
from minigpt2.ragged import FlatSentences, TokenBatch

lists_of_lengths = st.lists(st.integers(0, 6), max_size=12)


def batch_of(lengths, xp=np):
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    return TokenBatch([list(range(start[b], start[b] + T)) for b, T in enumerate(lengths)], xp)


def indices(index, xp, size):
    return to_numpy(xp.arange(size)[index]).tolist()


def test_the_docstrings_example(xp):
    batch = TokenBatch([[5, 9, 2], [7], [4, 4]], xp)
    assert batch.ids.tolist() == [5, 9, 2, 7, 4, 4]
    assert batch.positions.tolist() == [0, 1, 2, 0, 0, 1]
    assert batch.offsets.tolist() == [0, 3, 4, 6]
    assert batch.lengths.tolist() == [3, 1, 2]
    assert (batch.B, batch.N, batch.longest, batch.max_id) == (3, 6, 3, 9)


@given(lists_of_lengths, st.integers(-3, 14), st.integers(-3, 14))
def test_flat_sentences_are_the_same_sentences(lengths, start, stop):
    listed = [list(range(7 * b, 7 * b + T)) for b, T in enumerate(lengths)]
    flat = FlatSentences(np.array([i for ids in listed for i in ids], np.uint16), np.array(lengths, np.int64))
    assert len(flat) == len(listed)
    assert [ids.tolist() for ids in flat] == listed
    part = flat[start:stop]
    assert [ids.tolist() for ids in part] == listed[start:stop]
    for sentences, expected in ((flat, listed), (part, listed[start:stop])):
        batch, other = TokenBatch(sentences), TokenBatch(expected)
        for name in ("ids", "positions", "offsets", "lengths"):
            assert getattr(batch, name).tolist() == getattr(other, name).tolist()
        assert batch.ids.dtype == np.int64
        assert batch.max_id == other.max_id


@pytest.mark.parametrize(
    ("ids", "lengths", "message"),
    [
        (np.array([1.0, 2.0]), [2], "ids of float64"),
        (np.array([1, 2], np.uint64), [2], "ids of uint64"),
        (np.array([1, 2]), [1], r"shape \(2,\) are no run of 1 token ids"),
        (np.array([[1, 2]]), [2], "are no run"),
        (np.array([1, -2]), [2], "token id -2 is negative"),
    ],
)
def test_flat_sentences_must_be_a_run_of_ids(ids, lengths, message):
    with pytest.raises(DataError, match=message):
        FlatSentences(ids, np.array(lengths))


@given(lists_of_lengths, st.integers(0, 6))
def test_flat_sentences_are_cut_like_lists(lengths, limit):
    listed = [list(range(7 * b, 7 * b + T)) for b, T in enumerate(lengths)]
    flat = FlatSentences(np.array([i for ids in listed for i in ids], np.int32), np.array(lengths, np.int64))
    assert [ids.tolist() for ids in flat.cut(limit)] == [ids[:limit] for ids in listed]
    assert [ids.tolist() for ids in flat] == listed


def test_flat_sentences_index_like_a_list():
    flat = FlatSentences(np.arange(3), np.array([2, 1]))
    assert flat[-1].tolist() == [2]
    with pytest.raises(IndexError):
        flat[2]
    with pytest.raises(ValueError, match="must not skip or turn"):
        flat[::-1]


def test_ids_and_positions_live_on_the_module_and_the_rest_on_the_host(xp):
    batch = TokenBatch([[5, 9], [7]], xp)
    assert type(batch.ids) is type(batch.positions) is xp.ndarray
    assert type(batch.offsets) is type(batch.lengths) is np.ndarray
    assert batch.ids.dtype == batch.positions.dtype == np.int64


def test_numpy_arrays_and_tuples_are_sentences_too(xp):
    batch = TokenBatch([np.array([1, 2], np.int32), (3,), np.zeros(0), []], xp)
    assert batch.ids.tolist() == [1, 2, 3]
    assert batch.lengths.tolist() == [2, 1, 0, 0]


def check_partition(lengths, xp):
    batch = batch_of(lengths, xp)
    groups = batch.groups_of_equal_length()
    assert [group.T for group in groups] == sorted({T for T in lengths if T})
    seen = []
    for group in groups:
        sentences = indices(group.sentences, xp, batch.B)
        rows = indices(group.rows, xp, batch.N)
        assert len(sentences) == group.n > 0
        assert all(lengths[b] == group.T for b in sentences)
        expected = [row for b in sentences for row in range(batch.offsets[b], batch.offsets[b + 1])]
        assert rows == expected
        lie_together = sentences == list(range(sentences[0], sentences[-1] + 1))
        assert isinstance(group.sentences, slice) == lie_together
        # Empty sentences between them take no rows, so the rows may lie together where the sentences do not.
        assert isinstance(group.rows, slice) == (rows == list(range(rows[0], rows[-1] + 1)))
        seen += sentences
    assert sorted(seen) == [b for b, T in enumerate(lengths) if T]
    assert batch.groups_of_equal_length() is groups, "the groups are found once"


@given(lists_of_lengths)
def test_groups_partition_the_sentences_that_have_tokens(lengths):
    check_partition(lengths, np)


@pytest.mark.parametrize("lengths", [[], [0], [1], [2, 0, 2], [1, 2, 1], [3, 3, 1], [1, 4, 0, 1, 1]])
def test_groups_partition_on_every_module(lengths, xp):
    check_partition(lengths, xp)


@given(lists_of_lengths)
def test_offsets_and_positions_describe_the_sentences(lengths):
    batch = batch_of(lengths)
    assert sum(lengths) == batch.N
    assert len(lengths) == batch.B
    assert batch.longest == max(lengths, default=0)
    for b, T in enumerate(lengths):
        rows = slice(batch.offsets[b], batch.offsets[b + 1])
        assert batch.positions[rows].tolist() == list(range(T))
    assert batch.ids.tolist() == list(range(batch.N))


@given(lists_of_lengths, st.integers(0, 40), st.integers(0, 7))
def test_check_fits_refuses_exactly_what_does_not_fit(lengths, vocab_size, n_positions):
    batch = batch_of(lengths)
    fits = vocab_size >= batch.N and batch.longest <= n_positions
    if fits:
        batch.check_fits(vocab_size, n_positions)
    else:
        with pytest.raises(DataError):
            batch.check_fits(vocab_size, n_positions)


def test_an_id_outside_the_vocabulary_names_its_place(xp):
    batch = TokenBatch([[1], [], [2, 9, 8], [10]], xp)
    batch.check_fits(11, 3)
    with pytest.raises(
        DataError, match=r"^token id 9 at position 1 of sentence 2 is outside the vocabulary \(0 to 8\): .+$"
    ):
        batch.check_fits(9, 3)


def test_a_sentence_beyond_the_window_names_itself(xp):
    with pytest.raises(DataError, match=r"^sentence 1 has 3 tokens, but the model's window is 2: .+$"):
        TokenBatch([[1, 2], [2, 0, 1], [1, 1, 1, 1]], xp).check_fits(11, 2)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ([[1], [2, -3]], "token id -3 in sentence 1 is negative: ids start at 0"),
        ([[], [-1]], "token id -1 in sentence 1 is negative"),
        ([[1], [0.5]], "sentence 1 is not a flat sequence of whole token ids"),
        ([[1.0]], "sentence 0 is not a flat sequence of whole token ids"),
        ([["a"]], "sentence 0 is not a flat sequence of whole token ids"),
        ([[True]], "sentence 0 is not a flat sequence of whole token ids"),
        ([[None]], "sentence 0 is not a flat sequence of whole token ids"),
        ([[[1, 2]]], "sentence 0 is not a flat sequence of whole token ids"),
        ([[1], [[1, 2], [3]]], "sentence 1 is not a flat sequence of whole token ids"),
        (["abc"], "sentence 0 is not a flat sequence of whole token ids"),
        ([1, 2], "sentence 0 is not a flat sequence of whole token ids"),
        ([[2**70]], "sentence 0 is not a flat sequence of whole token ids"),
        ([np.array([2**63], np.uint64)], "sentence 0 is not a flat sequence of whole token ids"),
    ],
)
def test_what_is_no_token_id_is_refused_with_its_sentence(sentences, message, xp):
    with pytest.raises(DataError, match=message):
        TokenBatch(sentences, xp)


def test_repr_says_the_sizes():
    assert repr(TokenBatch([[1, 2, 3], [], [4]])) == "TokenBatch(3 sentences, 4 tokens, longest 3)"
