"""Matryoshka against the loss on vectors that were cut by hand."""

import functools

import numpy as np
import pytest
from arrays import assert_close
from loss_cases import GRADED, D, K, M, unit_rows

from minigpt2.backend import asarray, to_numpy
from minigpt2.errors import UsageError
from minigpt2.training.losses import (
    cosent,
    cosent_backward,
    distillation,
    distillation_backward,
    info_nce,
    info_nce_backward,
    matryoshka,
    matryoshka_backward,
)


def cut(x, d):
    return x[:, :d] / np.linalg.norm(x[:, :d], axis=1, keepdims=True)


@pytest.mark.parametrize(("dims", "weights"), [([2, 5, 6], [0.3, 1.0, 0.7]), ([4], None), ([6, 1], None)])
def test_equals_the_sum_over_cut_vectors(dims, weights, xp):
    a, b = unit_rows(M, D), unit_rows(M, D, seed=1)
    forward = functools.partial(cosent, labels=GRADED, temperature=0.3)
    loss, _ = matryoshka(forward, cosent_backward, (asarray(a, xp), asarray(b, xp)), dims, weights)
    expected = sum(
        weight * float(cosent(cut(a, d), cut(b, d), GRADED, 0.3)[0])
        for d, weight in zip(dims, weights or [1.0] * len(dims), strict=True)
    )
    assert float(loss) == pytest.approx(expected, rel=1e-13)


def test_all_columns_of_unit_rows_are_the_loss_itself(xp):
    """But for the part of the gradient along each vector, which normalisation does not pass on."""
    a, b = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    forward = functools.partial(cosent, labels=GRADED)
    loss, ctx = matryoshka(forward, cosent_backward, (a, b), [D])
    plain, plain_ctx = forward(a, b)
    assert float(loss) == pytest.approx(float(plain), rel=1e-12)
    for x, actual, expected in zip(
        (a, b), matryoshka_backward(1.0, ctx), cosent_backward(1.0, plain_ctx), strict=True
    ):
        along = (expected * x).sum(axis=1, keepdims=True)
        assert_close(actual, to_numpy(expected - along * x), 1e-12)


def test_columns_beyond_the_widest_prefix_hear_nothing(xp):
    a, b = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    _, ctx = matryoshka(info_nce, info_nce_backward, (a, b), [2, 4])
    for gradient in matryoshka_backward(1.0, ctx):
        assert to_numpy(gradient)[:, :4].all()
        assert not to_numpy(gradient)[:, 4:].any()


def test_none_is_handed_on_and_has_no_gradient(xp):
    a, b = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    loss, ctx = matryoshka(info_nce, info_nce_backward, (a, b, None), [2, 6])
    without, _ = matryoshka(info_nce, info_nce_backward, (a, b), [2, 6])
    assert float(loss) == float(without)
    da, db, dnone = matryoshka_backward(1.0, ctx)
    assert da.shape == db.shape == (M, D)
    assert dnone is None


def test_inputs_of_different_numbers_of_rows(xp):
    inputs = tuple(asarray(unit_rows(rows, D, seed=rows), xp) for rows in (M, M, K))
    _, ctx = matryoshka(info_nce, info_nce_backward, inputs, [3, 6])
    assert [gradient.shape for gradient in matryoshka_backward(1.0, ctx)] == [(M, D), (M, D), (K, D)]


def test_one_vector_input_has_one_gradient(xp):
    students, targets = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))

    def forward(rows):
        return distillation(rows, asarray(cut(to_numpy(targets), rows.shape[1]), xp))

    _, ctx = matryoshka(forward, distillation_backward, (students,), [3, 6])
    assert matryoshka_backward(1.0, ctx).shape == (M, D)


@pytest.mark.parametrize(
    ("dims", "weights", "message"),
    [
        ([2, D + 1], None, r"the widths of prefixes are \[2, 7\]: give at least one, each from 1 to 6"),
        ([0], None, r"are \[0\]"),
        ([-1], None, r"are \[-1\]"),
        ([], None, r"are \[\]"),
        ([2, 6], [1.0], "1 weights for 2 widths"),
    ],
)
def test_widths_that_a_slice_would_let_through_are_refused(dims, weights, message, xp):
    a, b = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    with pytest.raises(UsageError, match=message):
        matryoshka(info_nce, info_nce_backward, (a, b), dims, weights)
