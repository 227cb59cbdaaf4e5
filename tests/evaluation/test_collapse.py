"""Gauges of collapse against their definitions, and an alarm that rings when it should and only then."""

import math

import numpy as np
import pytest
from models import random_model

from minigpt2.backend import asarray
from minigpt2.errors import UsageError
from minigpt2.evaluation import collapse
from minigpt2.evaluation.collapse import Collapse, collapse_of, collapse_warning
from minigpt2.layers import normalize, normalize_backward, pooling, pooling_backward
from minigpt2.ragged import TokenBatch
from minigpt2.training.optimizer import AdamW


def naive(vectors, positives):
    """Every gauge as a loop over pairs of rows of length 1."""
    rows = [v / np.linalg.norm(v) for v in vectors]
    pairs = [(a, b) for i, a in enumerate(rows) for b in rows[:i]]
    sigma = np.linalg.svd(np.array(rows), compute_uv=False)
    p = sigma / sigma.sum()
    return Collapse(
        sum(a @ b for a, b in pairs) / len(pairs),
        sum(((rows[i] - rows[j]) ** 2).sum() for i, j in positives) / len(positives),
        math.log(sum(math.exp(-2 * ((a - b) ** 2).sum()) for a, b in pairs) / len(pairs)),
        math.exp(-sum(q * math.log(q) for q in p if q > 0)),
        len(vectors[0]),
    )


@pytest.mark.parametrize("shape", [(13, 6), (5, 9), (2, 3)])
def test_against_loops_over_pairs(xp, rng, shape):
    vectors = rng.standard_normal(shape) + 0.5  # any length
    positives = [(0, 1), (1, 0), (shape[0] - 1, 0)]
    first, second = (np.array(side) for side in zip(*positives, strict=True))
    found = collapse_of(asarray(vectors, xp), (first, xp.asarray(second)))
    assert found == pytest.approx(naive(vectors, positives), rel=1e-10)
    assert all(isinstance(value, (float, int)) for value in found)
    single = collapse_of(asarray(vectors.astype(np.float32), xp))
    assert single.alignment is None
    assert single.effective_rank == pytest.approx(found.effective_rank, rel=1e-5)


def test_the_ends_of_the_scale(xp):
    corners = collapse_of(asarray(np.eye(7), xp))
    assert corners.mean_cosine == pytest.approx(0.0, abs=1e-12)
    assert corners.effective_rank == pytest.approx(7.0)
    assert corners.uniformity == pytest.approx(-4.0)  # every squared distance is 2
    same = collapse_of(asarray(np.ones((5, 7)), xp), (xp.asarray([0]), xp.asarray([4])))
    assert same == pytest.approx((1.0, 0.0, 0.0, 1.0, 7), abs=1e-6)
    line = collapse_of(asarray(np.array([[1.0, 2.0], [-1.0, -2.0]]), xp))
    assert (line.mean_cosine, line.effective_rank) == pytest.approx((-1.0, 1.0), abs=1e-6)
    empty = collapse_of(asarray(np.zeros((3, 4)), xp))  # empty texts have no direction
    assert empty == (0.0, None, 0.0, 0.0, 4)


def test_many_rows_are_thinned_out_for_uniformity(monkeypatch, rng):
    vectors = rng.standard_normal((40, 5))
    exact = collapse_of(vectors)
    monkeypatch.setattr(collapse, "MOST_ROWS", 16)
    thinned = collapse_of(vectors)
    assert thinned.uniformity == pytest.approx(collapse_of(vectors[::3]).uniformity)
    assert thinned._replace(uniformity=exact.uniformity) == exact


@pytest.mark.parametrize("shape", [(1, 4), (4,), (0, 4)])
def test_refused(shape):
    with pytest.raises(UsageError, match="at least two rows"):
        collapse_of(np.ones(shape))


def history(*measured, dimensions=64):
    return [Collapse(cosine, None, 0.0, rank, dimensions) for cosine, rank in measured]


class TestWarning:
    @pytest.mark.parametrize(
        "measured",
        [
            [(0.57, 42.5), (0.995, 4.6), (0.9998, 1.9)],  # positives only
            [(0.57, 42.5), (0.70, 30.0), (0.96, 15.0), (0.955, 18.0)],  # slowly
            [(0.57, 42.5), (0.60, 40.0), (0.70, 30.0), (0.96, 15.0), (0.955, 18.0)],  # more slowly
            [(0.92, 31.7), (0.98, 9.0), (0.99, 8.0)],  # from vectors that were alike before
            [(0.02, 40.0), (0.01, 1.5), (0.0, 1.5)],  # a line with two ends
        ],
    )
    def test_it_rings(self, measured):
        message = collapse_warning(history(*measured))
        cosine, rank = measured[-1]
        assert f"is {cosine:.3f} ({measured[0][0]:.3f} before training)" in message
        assert f"of 64 dimensions they use {rank:.1f}" in message
        assert "Remedies" in message

    @pytest.mark.parametrize(
        "measured",
        [
            [],
            [(0.9997, 1.6)],  # before training nothing is an alarm
            [(0.57, 42.5), (0.999, 1.7)],  # nor is one measurement
            [(0.57, 42.5), (0.999, 1.7), (0.73, 18.0)],  # a run that passed through it
            [(0.57, 42.5), (0.999, 1.7), (0.999, 1.7), (0.73, 18.0), (0.70, 20.0)],  # and told so then
            [(0.57, 42.5), (0.88, 17.8), (0.72, 17.0), (0.54, 20.6)],  # InfoNCE
            [(0.57, 42.8), (0.977, 14.0), (0.92, 16.0), (0.83, 19.0)],  # margin loss
            [(0.97, 30.0), (0.97, 28.0), (0.96, 28.0)],  # a model whose vectors were alike, and still are
            [(0.57, 42.5), (0.06, 16.0), (0.06, 16.0)],
        ],
    )
    def test_it_is_silent(self, measured):
        assert collapse_warning(history(*measured)) is None

    @staticmethod
    def run(target_of_negatives):
        """Cosines of random texts with themselves, one word changed, are trained to 1, others to a target."""
        model = random_model(scale=0.2)
        optimizer, gradients = AdamW(model.parameters), model.parameters.zeros_like()
        rng = np.random.default_rng(4)
        texts = rng.integers(0, 11, (40, 5)).tolist()

        def measure():
            hidden, _ = model.forward(TokenBatch(texts))
            return collapse_of(pooling(hidden, TokenBatch(texts), "mean")[0])

        measured = [measure()]
        for step in range(60):
            rows = rng.permutation(40)[:16]
            changed = [[*texts[row][:4], int(rng.integers(11))] for row in rows]
            batch = TokenBatch([texts[row] for row in rows] + changed)
            hidden, model_ctx = model.forward(batch, keep=True)  # (N, D)
            pooled, pooling_ctx = pooling(hidden, batch, "mean")  # (32, D)
            vectors, normalize_ctx = normalize(pooled)  # (32, D)
            a, b = vectors[:16], vectors[16:]
            wanted = np.eye(16) if target_of_negatives is not None else np.ones((16, 16))
            counted = np.ones((16, 16)) if target_of_negatives is not None else np.eye(16)
            dscores = 2 * counted * (a @ b.T - wanted) / counted.sum()  # (16, 16)
            dvectors = np.concatenate([dscores @ b, dscores.T @ a])  # (32, D)
            gradients.flat[:] = 0.0
            dpooled = normalize_backward(dvectors, normalize_ctx)
            model.backward(pooling_backward(dpooled, pooling_ctx), model_ctx, gradients)
            optimizer.step(gradients, lr=0.01)
            if step % 20 == 19:
                measured.append(measure())
        return measured

    def test_a_model_that_sees_positives_only_collapses_and_one_that_sees_negatives_does_not(self):
        measured = self.run(None)
        assert measured[-1].mean_cosine > 0.95
        assert collapse_warning(measured) is not None
        assert collapse_warning(measured[:1]) is None
        measured = self.run(0.0)
        assert measured[-1].mean_cosine < 0.5
        assert collapse_warning(measured) is None
