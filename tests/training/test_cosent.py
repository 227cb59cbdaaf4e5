"""CoSENT against the double loop over pairs; ties, nothing to compare, and many pairs."""

import math
import tracemalloc

import numpy as np
import pytest
from loss_cases import BINARY, DISTINCT, EQUAL, GRADED, D, M, unit_rows

from minigpt2.backend import asarray, to_numpy
from minigpt2.training.losses import cosent, cosent_backward

LABELS = {"binary": BINARY, "graded": GRADED, "distinct": DISTINCT, "equal": EQUAL}


def loop_loss(a, b, labels, temperature):
    cosines = [sum(x * y for x, y in zip(a[i], b[i], strict=True)) for i in range(len(a))]
    total = 1.0
    for i in range(len(a)):
        for j in range(len(a)):
            if labels[i] > labels[j]:
                total += math.exp((cosines[j] - cosines[i]) / temperature)
    return math.log(total)


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("rows", [M, 6, 2, 1])
def test_equals_the_double_loop(rows, name, xp):
    a, b = unit_rows(rows, D), unit_rows(rows, D, seed=1)
    labels = np.array(LABELS[name][:rows])
    loss, _ = cosent(asarray(a, xp), asarray(b, xp), asarray(labels, xp), temperature=0.3)
    assert float(loss) == pytest.approx(loop_loss(a, b, labels, 0.3), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("rows", [M, 1])
def test_without_unlike_labels_there_is_nothing_to_learn(rows, xp):
    a, b = (asarray(unit_rows(rows, D, seed=seed), xp) for seed in (0, 1))
    loss, ctx = cosent(a, b, xp.full(rows, 2.5))
    assert float(loss) == 0.0
    assert all(not to_numpy(gradient).any() for gradient in cosent_backward(1.0, ctx))


def test_only_the_order_of_labels_counts(xp):
    a, b = (asarray(unit_rows(M, D, seed=seed), xp) for seed in (0, 1))
    ranks = np.argsort(np.argsort(DISTINCT))
    assert float(cosent(a, b, DISTINCT)[0]) == float(cosent(a, b, ranks)[0])
    assert float(cosent(a, b, DISTINCT)[0]) != float(cosent(a, b, -ranks)[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [GRADED, BINARY])
def test_a_tiny_temperature_stays_finite_and_counts_the_worst_pair(labels, dtype, xp):
    a, b = (asarray(unit_rows(M, D, seed=seed), xp, dtype) for seed in (0, 1))
    loss, ctx = cosent(a, b, labels, temperature=1e-5)
    cosines = to_numpy(a * b).sum(axis=1)
    worst = max(cosines[j] - cosines[i] for i in range(M) for j in range(M) if labels[i] > labels[j])
    assert worst > 0
    assert float(loss) == pytest.approx(worst / 1e-5, rel=1e-4)
    gradients = [to_numpy(gradient) for gradient in cosent_backward(1.0, ctx)]
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert np.abs(gradients[0]).max() > 1e3


def test_thousands_of_pairs_need_no_square_of_memory():
    M, D = 4096, 3
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 20, M) / 4
    x = np.arange(M) / M * 2 - 1  # the cosines, from a · b with b = (1, 0, 0)
    rng.shuffle(x)
    a, b = np.zeros((M, D)), np.zeros((M, D))
    a[:, 0], b[:, 0] = x, 1.0
    tracemalloc.start()
    loss, ctx = cosent(a, b, labels)
    da, _ = cosent_backward(1.0, ctx)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 8 * M  # an array of one number for each two pairs would be 4096 · 8 · M bytes

    gaps = (x[None, :] - x[:, None]) / 0.05  # (M, M)
    terms = np.where(labels[:, None] > labels[None, :], np.exp(gaps), 0.0)
    assert float(loss) == pytest.approx(math.log(1.0 + terms.sum()), rel=1e-12)
    expected = (terms.sum(axis=0) - terms.sum(axis=1)) / (1.0 + terms.sum()) / 0.05
    np.testing.assert_allclose(da[:, 0], expected, rtol=1e-9, atol=1e-14)
