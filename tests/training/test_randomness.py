"""Counted random numbers: the published sequence, the same on every device, and statistically random."""

import numpy as np
import pytest

from minigpt2.backend import to_numpy
from minigpt2.errors import UsageError
from minigpt2.layers import dropout
from minigpt2.training.randomness import BLOCK, CountedGenerator, words

# The output of Vigna's splitmix64.c for the seed 1234567.
PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]

# Two float32 and then two float64 of seed 20261122.
RECORDED = [[0.7851294279098511, 0.7542151808738708], [0.7949381223659833, 0.6483012768216737]]

DRAWS, SIZE = 8, 1 << 17


def loop_word(key, i):
    """Word i by whole numbers without end, reduced at every step."""
    z = (key + (i + 1) * 0x9E3779B97F4A7C15) % 2**64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
    return z ^ (z >> 31)


@pytest.fixture(scope="module")
def draws():
    """(DRAWS, SIZE) float32 as float64"""
    rng = CountedGenerator(np, 5)
    return np.stack([rng.random(SIZE, np.float32) for _ in range(DRAWS)]).astype(np.float64)


# The numbers


def test_words_are_the_published_sequence(xp):
    assert to_numpy(words(1234567, 0, 5, xp)).tolist() == PUBLISHED
    assert to_numpy(words(1234567, 3, 5, xp)).tolist() == PUBLISHED[3:]


def test_words_wrap_around_like_whole_numbers_modulo_2_64(xp):
    key = 2**64 - 5
    assert to_numpy(words(key, 0, 9, xp)).tolist() == [loop_word(key, i) for i in range(9)]


@pytest.mark.parametrize("count", [1, 2, 7, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 5 * BLOCK + 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_the_upper_bits_of_the_words_whatever_the_block(count, dtype, xp):
    seed, position = 11, 4
    drawn = to_numpy(CountedGenerator(xp, seed, position).random(count, dtype))
    key = loop_word(loop_word(seed, 0), position)
    word = words(key, 0, count)
    if dtype == "float64":
        expected = (word >> np.uint64(11)).astype(np.float64) / 2**53
    else:
        low, high = word & np.uint64(2**32 - 1), word >> np.uint64(32)
        halves = np.stack([low, high], axis=1).reshape(-1)[:count]
        expected = ((halves >> np.uint64(8)).astype(np.float64) / 2**24).astype(np.float32)
    assert drawn.dtype == dtype
    np.testing.assert_array_equal(drawn, expected)
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0


@pytest.mark.parametrize("size", [(), (0,), (3, 0), (5,), (2, 3, 4)])
def test_the_shape_is_what_was_asked_for(size, xp):
    assert CountedGenerator(xp, 1).random(size, np.float32).shape == size


def test_recorded_draws():
    """Old checkpoints resume only if these never change."""
    rng = CountedGenerator(np, 20261122)
    assert rng.random(2, np.float32).tolist() == RECORDED[0]
    assert rng.random(2, np.float64).tolist() == RECORDED[1]


# Position


def test_position_counts_draws_and_can_be_set(xp):
    rng = CountedGenerator(xp, 7)
    drawn = [to_numpy(rng.random((3, 5), np.float32)) for _ in range(4)]
    assert rng.position == 4
    rng.position = 1
    np.testing.assert_array_equal(to_numpy(rng.random((3, 5), np.float32)), drawn[1])
    np.testing.assert_array_equal(to_numpy(rng.random((3, 5), np.float32)), drawn[2])
    assert rng.position == 3
    resumed = CountedGenerator(xp, 7, position=3)
    np.testing.assert_array_equal(to_numpy(resumed.random((3, 5), np.float32)), drawn[3])


def test_a_copy_makes_the_same_draws_and_leaves_the_first_alone(xp):
    rng = CountedGenerator(xp, 7, position=2)
    copy = rng.copy()
    first = to_numpy(copy.random(9, np.float32))
    assert (rng.position, copy.position) == (2, 3)
    np.testing.assert_array_equal(to_numpy(rng.random(9, np.float32)), first)


def test_a_longer_draw_begins_like_a_shorter_one(xp):
    short, long = (to_numpy(CountedGenerator(xp, 7).random(n, np.float32)) for n in (10, 10 * BLOCK))
    np.testing.assert_array_equal(long[:10], short)


def test_dropout_takes_it_as_it_takes_any_generator(xp):
    x = xp.ones((40, 5), dtype=np.float32)
    _, ctx = dropout(x, 0.25, CountedGenerator(xp, 3))
    on_the_cpu = CountedGenerator(np, 3).random((40, 5), np.float32)
    np.testing.assert_array_equal(to_numpy(ctx.keep), on_the_cpu >= 0.25)


@pytest.mark.parametrize("value", [-1, 2**64, 1.5, "7", None])
def test_a_seed_or_position_that_is_none_is_refused(value):
    with pytest.raises(UsageError, match="seed of a random generator must be a whole number"):
        CountedGenerator(np, value)
    rng = CountedGenerator(np, 1)
    with pytest.raises(UsageError, match="position of a random generator must be a whole number"):
        rng.position = value


def test_another_dtype_is_refused(xp):
    with pytest.raises(UsageError, match="random numbers are float32 or float64, not float16"):
        CountedGenerator(xp, 1).random(3, np.float16)


# Are they random? Each bound is five standard deviations of what independent uniform numbers give.


def chi_squared_deviations(counts):
    """How many standard deviations the chi-squared statistic of equally likely cells lies off its mean"""
    expected = counts.sum() / counts.size
    statistic = ((counts - expected) ** 2 / expected).sum()
    return (statistic - (counts.size - 1)) / np.sqrt(2.0 * (counts.size - 1))


def test_each_draw_is_uniform(draws):
    for draw in draws:
        assert abs(draw.mean() - 0.5) < 5 * np.sqrt(1 / 12 / SIZE)
        assert abs(chi_squared_deviations(np.bincount((draw * 256).astype(int), minlength=256))) < 5


def test_the_last_bits_are_uniform_too(draws):
    last = (draws * 2**24).astype(np.int64) & 255
    for draw in last:
        assert abs(chi_squared_deviations(np.bincount(draw, minlength=256))) < 5


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 5, 7, 16, 256, 768])
def test_neighbours_within_a_draw_are_independent(draws, lag):
    for draw in draws:
        a, b = draw[:-lag] - 0.5, draw[lag:] - 0.5
        assert abs((a * b).mean()) < 5 / 12 / np.sqrt(len(a))
        pairs = np.bincount(
            (draw[:-lag] * 16).astype(int) * 16 + (draw[lag:] * 16).astype(int), minlength=256
        )
        assert abs(chi_squared_deviations(pairs)) < 5


def test_draws_at_one_place_are_independent_of_each_other(draws):
    for i in range(DRAWS):
        for j in range(i):
            assert abs(((draws[i] - 0.5) * (draws[j] - 0.5)).mean()) < 5 / 12 / np.sqrt(SIZE)
            pairs = np.bincount((draws[i] * 16).astype(int) * 16 + (draws[j] * 16).astype(int), minlength=256)
            assert abs(chi_squared_deviations(pairs)) < 5


def test_first_numbers_of_neighbouring_seeds_and_positions_are_independent():
    grid = np.array([[CountedGenerator(np, seed, k).random(1)[0] for k in range(128)] for seed in range(128)])
    assert abs(chi_squared_deviations(np.bincount((grid.ravel() * 64).astype(int), minlength=64))) < 5
    centred = grid - 0.5
    for axis in (0, 1):
        a, b = np.delete(centred, 0, axis), np.delete(centred, -1, axis)
        assert abs((a * b).mean()) < 5 / 12 / np.sqrt(a.size)


def test_changing_one_bit_of_seed_or_position_changes_half_of_the_bits():
    def bits(seed, position):
        return int(CountedGenerator(np, seed, position).random(1)[0] * 2**53)

    flips = [
        (bits(seed, 9) ^ bits(seed ^ 1 << b, 9)).bit_count() for seed in range(100, 120) for b in range(64)
    ] + [(bits(5, k) ^ bits(5, k ^ 1 << b)).bit_count() for k in range(100, 120) for b in range(40)]
    assert abs(np.mean(flips) - 26.5) < 5 * np.sqrt(53 / 4 / len(flips))


def test_two_draws_share_no_run_of_numbers():
    """Streams that overlapped would give the same mask, shifted."""
    keys = [loop_word(loop_word(0, 0), k) for k in range(64)]
    starts = sorted(key * pow(0x9E3779B97F4A7C15, -1, 2**64) % 2**64 for key in keys)
    gaps = np.diff([*starts, starts[0] + 2**64])
    assert len(set(keys)) == 64
    assert min(gaps) > 2**40
