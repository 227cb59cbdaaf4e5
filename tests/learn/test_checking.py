"""Messages about wrong answers: the place, the numbers, the likely reason."""

import numpy as np
import pytest

from minigpt2.learn.checking import (
    WrongAnswer,
    array,
    number,
    require,
    same_array,
    same_value,
    several,
    unchanged,
)
from minigpt2.learn.verdict import Verdict, wrong


def message(expected, yours, reasons=(), **options):
    with pytest.raises(WrongAnswer) as raised:
        same_array(expected, yours, "f(x)", reasons, **options)
    return str(raised.value)


EXPECTED = np.array([[1.0, 2.0, -3.0], [4.0, 0.5, 6.0]])


def test_what_is_right_passes():
    same_array(EXPECTED, EXPECTED.copy(), "f(x)")
    same_array(EXPECTED, EXPECTED + 1e-9, "f(x)")
    same_array(np.array([-np.inf, np.nan, 1.0]), np.array([-np.inf, np.nan, 1.0]), "f(x)")
    same_array(np.array(2.0), 2.0, "f(x)")
    same_array(np.zeros((0, 3)), np.zeros((0, 3)), "f(x)")


def test_the_first_wrong_entry_and_how_many():
    yours = EXPECTED.copy()
    yours[0, 2], yours[1, 1] = 7.0, 8.0
    assert "f(x)[0, 2] should be -3, yours is 7; 2 of 6 entries are wrong" in message(EXPECTED, yours)


GUESSES = {
    "nothing returned": (None, "is its `return` missing"),
    "a list": ([[1.0]], "gives a list, expected is a NumPy array"),
    "a tuple": ((EXPECTED, EXPECTED), "gives a tuple of 2 values"),
    "a number": (3.0, "gives one number"),
    "text": (np.array(["a"]), "not of numbers"),
    "transposed shape": (EXPECTED.T, "a transpose is missing or too many"),
    "an axis of length 1": (EXPECTED[:, None], "look at keepdims=True"),
    "an axis missing": (EXPECTED[0], "an axis is missing"),
    "another layout": (EXPECTED.ravel().reshape(6, 1, 1), "laid out in another way"),
    "sign": (-EXPECTED, "only the sign is wrong"),
    "factor": (0.5 * EXPECTED, "yours is 0.5 times what is expected"),
    "offset": (EXPECTED + 3, "yours is what is expected +3, everywhere"),
    "zeros": (np.zeros((2, 3)), "every entry of yours is 0"),
    "order": (EXPECTED[::-1], "not in the right order"),
    "rounded": (EXPECTED * (1 + 1e-4 * np.arange(6).reshape(2, 3)), "approximated or rounded"),
    "nan": (np.where(EXPECTED > 5, np.nan, EXPECTED), "NaN comes from 0/0"),
    "once": (EXPECTED * (1 + 3e-6), "nearly right, within 3e-06"),
    "complex": (EXPECTED + 1j, "complex numbers"),
    "infinite": (np.where(EXPECTED > 5, np.inf, EXPECTED), "infinity comes from"),
}


@pytest.mark.parametrize("case", GUESSES)
def test_general_suspicions(case):
    yours, reason = GUESSES[case]
    assert reason in message(EXPECTED, yours)


def test_a_known_mistake_comes_before_a_guess():
    assert "known" in message(EXPECTED, -EXPECTED, [(-EXPECTED, "known")])
    assert "known" in message(EXPECTED, EXPECTED.T, [(EXPECTED.T, "known")])
    assert "second" in message(
        EXPECTED, EXPECTED + 1, [(EXPECTED + 2, "first"), (lambda y: y[0, 0] == 2, "second")]
    )


def test_a_candidate_that_is_right_here_is_no_reason():
    yours = EXPECTED + np.arange(6).reshape(2, 3)
    assert "no reason" not in message(EXPECTED, yours, [(EXPECTED, "no reason")])


def test_a_predicate_that_fails_does_not_hide_the_answer():
    assert "only the sign" in message(EXPECTED, -EXPECTED, [(lambda y: y[5, 5] > 0, "never")])


def test_numbers_that_differ_are_written_so_that_they_do():
    expected = np.array([1.0, 1.2])
    assert "f(x)[0] should be 1, yours is 1.000003;" in message(expected, expected * (1 + 3e-6))


def test_where_zeros_are_expected_there_is_a_message_too():
    assert "f(x)[0] should be 0, yours is 1" in message(np.zeros(3), np.array([1.0, 2.0, 4.0]))


def test_a_candidate_that_overflows_explains_nothing():
    assert "known" not in message(EXPECTED, EXPECTED * np.inf, [(EXPECTED * np.inf, "known")])


def test_complex_numbers_that_are_real_are_taken():
    same_array(EXPECTED, EXPECTED + 0j, "f(x)")


def test_dtype():
    said = message(EXPECTED, EXPECTED, dtype=np.float32)
    assert "right numbers, but as float64; expected is float32" in said
    assert "turned all into float64" in said
    assert "turned all" not in message(np.ones(2), np.ones(2, bool), dtype=np.float64)


def test_values():
    same_value([1, 2], (1, 2), "f")
    same_value([1.0, 2.0], np.array([1.0, 2.0]), "f")
    same_value(3, np.int64(3), "f")
    same_value([(1, [2])], [(np.int64(1), [np.float64(2.0)])], "f")
    with pytest.raises(WrongAnswer, match="lists stand where tuples should"):
        same_value([(1, 2)], [[1, 2]], "f")
    with pytest.raises(WrongAnswer, match="f holds arrays"):
        same_value({"a": [1]}, {"a": [np.array([1])]}, "f")
    with pytest.raises(WrongAnswer, match="f should be 3, yours is 4"):
        same_value(3, 4, "f")
    with pytest.raises(WrongAnswer, match="off by one"):
        same_value(3, 4, "f", [(4, "off by one")])
    with pytest.raises(WrongAnswer, match="should be True, yours is 1"):
        same_value(True, 1, "f")
    with pytest.raises(WrongAnswer, match="first at place 40: 40 expected, 0 yours"):
        same_value(list(range(50)), [*range(40), 0, *range(41, 50)], "f")
    with pytest.raises(WrongAnswer, match="first at 'b': 2 expected, None yours"):
        same_value({"a": 1, "b": 2}, {"a": 1}, "f")


def test_helpers():
    assert several((1, 2), "a, b", "f") == (1, 2)
    for bad in ((1, 2, 3), np.ones(2), None):
        with pytest.raises(WrongAnswer):
            several(bad, "a, b", "f")
    assert number(np.float32(2.0), "f") == 2.0
    for bad in (None, True, "2", np.ones(1), 1j, np.complex128(1)):
        with pytest.raises(WrongAnswer):
            number(bad, "f")
    assert array(EXPECTED, "f", (2, 3)) is EXPECTED
    for bad in (None, [[1.0]], np.array(["a"]), np.array([None]), EXPECTED.T, 1.0, (EXPECTED,)):
        with pytest.raises(WrongAnswer):
            array(bad, "f", (2, 3))
    unchanged(EXPECTED, EXPECTED.copy(), "x")
    with pytest.raises(WrongAnswer, match="changes its input x"):
        unchanged(EXPECTED, EXPECTED + 1, "x")
    require(True, "never said")
    with pytest.raises(WrongAnswer, match="said"):
        require(False, "said")


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (30, 40), (2, 2, 20, 3)])
def test_the_picture_holds_the_first_wrong_entry(shape, rng):
    expected = rng.standard_normal(shape)
    yours = expected.copy()
    place = tuple(n - 1 for n in shape)
    yours[place] = 100.0
    with pytest.raises(WrongAnswer) as raised:
        same_array(expected, yours, "f(x)")
    picture = wrong(raised.value).picture
    row, column = (place[-2] if len(shape) > 1 else 0) - picture.first[0], place[-1] - picture.first[1]
    assert picture.yours[row][column] == 100.0
    assert picture.expected[row][column] == expected[place]
    assert len(picture.yours) <= 7
    assert len(picture.yours[0]) <= 7


def test_a_verdict_survives_json(rng):
    with pytest.raises(WrongAnswer) as raised:
        same_array(rng.standard_normal((2, 3)), np.full((2, 3), np.nan), "f(x)")
    verdict = wrong(raised.value)._replace(warned=("line 1: x",))
    again = Verdict.from_json(verdict.to_json())
    assert repr(again) == repr(verdict)
