"""InfoNCE against a plain loop, and what its negatives and directions mean."""

import math

import numpy as np
import pytest
from arrays import assert_close
from loss_cases import D, K, M, unit_rows

from minigpt2.backend import asarray, to_numpy
from minigpt2.training.losses import info_nce, info_nce_backward


def dot(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True))


def loop_loss(anchors, positives, negatives, temperature, symmetric):
    """The formula of the docstring, question by question."""

    def question(asked, answers, right):
        scores = [dot(asked, answer) / temperature for answer in answers]
        return math.log(sum(map(math.exp, scores))) - scores[right]

    M = len(anchors)
    there = sum(question(anchors[i], [*positives, *negatives], i) for i in range(M)) / M
    back = sum(question(positives[j], anchors, j) for j in range(M)) / M
    return (there + back) / 2 if symmetric else there


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("negatives", [0, 1, K])
@pytest.mark.parametrize("rows", [M, 1])
def test_equals_the_loop(rows, negatives, symmetric, xp):
    a, p, n = (unit_rows(count, D, seed=seed) for seed, count in enumerate((rows, rows, negatives)))
    loss, _ = info_nce(*(asarray(x, xp) for x in (a, p, n)), temperature=0.3, symmetric=symmetric)
    assert float(loss) == pytest.approx(loop_loss(a, p, n, 0.3, symmetric), rel=1e-13, abs=1e-15)


def test_none_and_no_rows_of_negatives_are_the_same_but_for_their_gradient(xp):
    a, p = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    none, ctx_none = info_nce(a, p)
    empty, ctx_empty = info_nce(a, p, xp.zeros((0, D)))
    assert float(none) == float(empty)
    *of_none, dnone = info_nce_backward(1.0, ctx_none)
    *of_empty, dempty = info_nce_backward(1.0, ctx_empty)
    assert dnone is None
    assert dempty.shape == (0, D)
    for actual, expected in zip(of_none, of_empty, strict=True):
        assert_close(actual, to_numpy(expected), 1e-15)


def test_one_pair_alone_is_nothing_to_choose_from(xp):
    a, p = (asarray(unit_rows(1, D, seed=seed), xp) for seed in (0, 1))
    loss, ctx = info_nce(a, p)
    assert float(loss) == 0.0
    da, dp, dn = info_nce_backward(1.0, ctx)
    assert not to_numpy(da).any()
    assert not to_numpy(dp).any()
    assert dn is None


def test_hard_negatives_are_asked_only_on_the_way_there(xp):
    a, p, n = (asarray(unit_rows(count, D, seed=seed), xp) for seed, count in enumerate((M, M, K)))

    def back(negatives):
        both, _ = info_nce(a, p, negatives)
        there, _ = info_nce(a, p, negatives, symmetric=False)
        return 2 * float(both) - float(there)

    assert back(n) == pytest.approx(back(None), rel=1e-12)
    swapped = float(info_nce(p, a, symmetric=False)[0])
    assert back(n) == pytest.approx(swapped, rel=1e-12)


def test_both_directions_make_the_two_sides_equals(xp):
    a, p = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    loss, ctx = info_nce(a, p)
    swapped, ctx_swapped = info_nce(p, a)
    assert float(loss) == pytest.approx(float(swapped), rel=1e-14)
    da, dp, _ = info_nce_backward(1.0, ctx)
    dp_too, da_too, _ = info_nce_backward(1.0, ctx_swapped)
    assert_close(da, to_numpy(da_too), 1e-14)
    assert_close(dp, to_numpy(dp_too), 1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tiny_temperature_stays_finite(dtype, xp):
    a, p, n = (asarray(unit_rows(count, D, seed=seed), xp, dtype) for seed, count in enumerate((M, M, K)))
    loss, ctx = info_nce(a, p, n, temperature=1e-4)
    assert np.isfinite(float(loss))
    assert all(np.isfinite(to_numpy(gradient)).all() for gradient in info_nce_backward(1.0, ctx))
