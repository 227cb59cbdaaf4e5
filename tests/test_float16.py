"""float16 to float32, against NumPy's own conversion."""

import numpy as np
import pytest

from minigpt2 import float16
from minigpt2.float16 import count_not_finite, float32_of

ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE = ALL[np.isfinite(ALL)]


@pytest.mark.parametrize(
    "numbers", [ALL, FINITE, FINITE[np.abs(FINITE) < 6e4], FINITE.reshape(8, -1).T, ALL[:0]]
)
def test_every_float16_becomes_the_float32_it_is(numbers):
    with np.errstate(all="raise"):
        actual = float32_of(numbers)
    assert actual.dtype == np.float32
    assert actual.shape == numbers.shape
    assert actual.tobytes() == numbers.astype(np.float32).tobytes()


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("place", [0, 63])
def test_one_that_is_not_finite_among_others(bad, place):
    numbers = np.ones((8, 8), np.float16)
    numbers.flat[place] = bad
    np.testing.assert_array_equal(float32_of(numbers), numbers.astype(np.float32))
    assert count_not_finite(numbers) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_numbers_are_converted_too(dtype):
    numbers = np.array([1.5, -np.inf, np.nan, 1e-30], dtype)
    np.testing.assert_array_equal(float32_of(numbers), numbers.astype(np.float32))
    assert count_not_finite(numbers) == 2


def test_the_numbers_that_are_not_finite():
    assert count_not_finite(ALL) == len(ALL) - len(FINITE)
    assert count_not_finite(FINITE) == count_not_finite(ALL[:0]) == 0


def test_where_subnormal_numbers_are_taken_for_0(monkeypatch):
    """As after torch.set_flush_denormal(True), where the smallest number's product is 0."""
    monkeypatch.setattr(float16, "SMALLEST", np.zeros(1, np.float32))
    monkeypatch.setattr(float16, "SIGN_EXPONENT_FRACTION", np.int32(0))  # the other way would give zeros
    assert float32_of(ALL).tobytes() == ALL.astype(np.float32).tobytes()
