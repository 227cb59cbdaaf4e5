"""Numbers as text, and places on a scale."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt2.views.numbers import aligned, fixed, number, shares, span

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.312749, "0.3127"),
        (12.3456, "12.35"),
        (1234.5, "1234"),
        (-0.5, "-0.5"),
        (1.0, "1"),
        (0.0123449, "0.01234"),
        (100.0, "100"),
        (3.2e-7, "3.20e-07"),
        (1.5e9, "1.50e+09"),
        (0.0, "0"),
        (-0.0, "0"),
        (NAN, "NaN"),
        (INF, "inf"),
        (-INF, "-inf"),
    ],
)
def test_a_number_has_the_digits_that_count(value, text):
    assert number(value) == text


@given(st.floats(-1.7e308, 1.7e308))
def test_a_number_can_be_read_back(value):
    assert float(number(value)) == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 0.83, 0.105], ["1.000", "0.830", "0.105"]),
        ([0.5, 1.5], ["0.5", "1.5"]),
        ([1.0, 2.0], ["1", "2"]),
        ([123.456, 7.0], ["123.5", "7.0"]),
        ([NAN, 0.25], ["NaN", "0.25"]),
        ([1e-9, 1.0], ["1.00e-09", "1"]),
        ([-0.0001, 1.0, 0.1234], ["0.000", "1.000", "0.123"]),
        ([], []),
    ],
)
def test_numbers_of_a_column_have_the_same_decimals(values, texts):
    assert aligned(values) == texts


def test_fixed_decimals():
    assert [fixed(v, 2) for v in (0.005, -0.001, 2e7, NAN)] == ["0.01", "0.00", "2.0e+07", "NaN"]


def test_the_ends_of_a_scale():
    values = np.array([-1.0, NAN, 3.0, INF])
    assert span(values, None, None) == (-1.0, 3.0)
    assert span(values, 0.0, None) == (0.0, 3.0)
    assert span(values, None, None, diverging=True) == (-3.0, 3.0)
    assert span(values, -5.0, 4.0, diverging=True) == (-5.0, 5.0)
    assert span(np.array([NAN]), None, None) == (0.0, 1.0)


@given(st.lists(st.floats(), min_size=1), st.floats(-1e308, 1e308), st.floats(-1e308, 1e308))
def test_shares_lie_between_0_and_1(values, a, b):
    low, high = min(a, b), max(a, b)
    for value, share in zip(values, shares(np.array(values), low, high).tolist(), strict=True):
        assert math.isnan(share) if math.isnan(value) else 0.0 <= share <= 1.0
        if low / 2 < high / 2 and low <= value <= high:
            assert share == pytest.approx((value / 2 - low / 2) / (high / 2 - low / 2))


def test_what_rounds_to_one_has_the_digits_of_one():
    assert aligned([0.99999994, 0.089]) == aligned([1.0000001, 0.089]) == ["1.000", "0.089"]
