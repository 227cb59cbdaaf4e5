"""The schedules: their shape, number by number, and what they refuse."""

import itertools
import math

import pytest

from minigpt2.errors import UsageError
from minigpt2.training.schedule import SCHEDULES, warmup_constant, warmup_cosine, warmup_linear

every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


def test_the_table_names_them():
    assert {"cosine": warmup_cosine, "linear": warmup_linear, "constant": warmup_constant} == SCHEDULES


@every_schedule
def test_climbs_straight_to_its_peak(schedule):
    rates = [schedule(step, 100, 0.5, 10) for step in range(101)]
    assert rates[:10] == pytest.approx([0.05 * (i + 1) for i in range(10)])
    assert max(rates) == rates[9] == rates[10] == 0.5
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))
    assert all(rate >= 0.0 for rate in rates)


@pytest.mark.parametrize(
    ("schedule", "at_a_third", "at_half", "at_the_end"),
    [
        (warmup_cosine, 0.5 * (1 + math.cos(math.pi / 3)) / 2, 0.25, 0.0),
        (warmup_linear, 0.5 * 2 / 3, 0.25, 0.0),
        (warmup_constant, 0.5, 0.5, 0.5),
    ],
)
def test_falls_in_its_own_way(schedule, at_a_third, at_half, at_the_end):
    rates = [schedule(step, 100, 0.5, 10) for step in (40, 55, 100)]
    assert rates == pytest.approx([at_a_third, at_half, at_the_end], abs=1e-15)


@every_schedule
def test_without_warm_up_it_begins_at_the_peak(schedule):
    assert schedule(0, 7, 0.5, 0) == 0.5


@every_schedule
def test_may_be_warm_up_from_end_to_end(schedule):
    rates = [schedule(step, 4, 1.0, 4) for step in range(5)]
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0]


@every_schedule
def test_one_step_is_enough(schedule):
    assert schedule(0, 1, 0.5, 0) == schedule(0, 1, 0.5, 1) == 0.5


@every_schedule
@pytest.mark.parametrize(
    ("step", "steps", "peak", "warmup", "message"),
    [
        (0, 0, 0.1, 0, "a schedule over 0 steps: it needs at least one"),
        (-1, 10, 0.1, 0, "step -1 lies outside the schedule, which goes from 0 to 10"),
        (11, 10, 0.1, 0, "step 11 lies outside"),
        (0, 10, 0.1, -1, "a warm-up of -1 steps does not fit into 10 steps"),
        (0, 10, 0.1, 11, "a warm-up of 11 steps does not fit into 10 steps"),
        (0, 10, 0.0, 0, "the peak learning rate is 0.0: give a positive number"),
        (0, 10, -0.1, 0, "the peak learning rate is -0.1"),
        (0, 10, math.inf, 0, "the peak learning rate is inf"),
        (0, 10, math.nan, 0, "the peak learning rate is nan"),
    ],
)
def test_nonsense_is_refused(schedule, step, steps, peak, warmup, message):
    with pytest.raises(UsageError, match=message):
        schedule(step, steps, peak, warmup)
