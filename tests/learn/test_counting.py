"""Lines that run, counted in all files or in one."""

import sys

import pytest

from minigpt2.learn.counting import lines_run


def rounds(n):
    total = 0
    for i in range(n):
        total += i
    return total


def test_each_round_of_a_loop_counts_anew():
    assert lines_run(lambda: rounds(50)) - lines_run(lambda: rounds(30)) == 2 * 20


def test_each_round_of_a_comprehension_counts_anew():
    assert lines_run(lambda: [i for i in range(50)]) >= 50  # noqa: C416  the loop is what is counted


def test_only_the_lines_of_one_file():
    code = compile("def twice(n):\n    return rounds(n) + rounds(n)\n", "elsewhere.py", "exec")
    names = {"rounds": rounds}
    exec(code, names)
    assert lines_run(lambda: names["twice"](40), "elsewhere.py") == 1
    assert lines_run(lambda: names["twice"](40), __file__) >= 4 * 40


def test_what_was_traced_before_is_traced_again():
    def trace(frame, event, argument):
        return None

    def fail():
        raise ValueError("no")

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(ValueError, match="no"):
            lines_run(fail)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)
