import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import LENGTHS, D, batch_of, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.errors import UsageError
from minigpt2.layers import POOLINGS, pooling, pooling_backward
from minigpt2.layers.pooling import token_weights
from minigpt2.ragged import TokenBatch


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("skipped", [0, 3])
def test_equals_the_loops(lengths, kind, layout, skipped, xp):
    batch = batch_of(lengths, xp)
    x = normal(batch.N, D)
    y, _ = pooling(laid_out(x, layout, xp), batch, kind, skipped)
    assert y.shape == (batch.B, D)
    expected = np.zeros((batch.B, D))
    if batch.N:
        expected = naive.pooling(x.tolist(), LENGTHS[lengths], kind, skipped)
    assert_close(y, expected, 1e-14)


@pytest.mark.parametrize("kind", POOLINGS)
def test_an_empty_sentence_gives_a_zero_row_even_among_negative_ones(kind, xp):
    batch = TokenBatch([[1, 2], [], [3]], xp)
    y, ctx = pooling(asarray(-1 - np.abs(normal(3, D)), xp), batch, kind)
    assert y[1].tolist() == [0.0] * D
    assert (to_numpy(y)[[0, 2]] < 0).all()
    dx = pooling_backward(asarray(normal(3, D), xp), ctx)
    assert dx.shape == (3, D)


def test_weights_of_a_sentence_sum_to_1_and_grow_as_documented():
    batch = batch_of("scattered", np)
    for kind in ("mean", "weighted_mean", "last"):
        weights = token_weights(batch, kind)
        for start, stop in zip(batch.offsets[:-1], batch.offsets[1:], strict=True):
            if start < stop:
                assert weights[start:stop].sum() == pytest.approx(1.0, abs=1e-15)
    assert token_weights(TokenBatch([[0] * 4]), "weighted_mean").tolist() == [0.1, 0.2, 0.3, 0.4]
    assert token_weights(TokenBatch([[0] * 2]), "weighted_mean", skipped=2).tolist() == [3 / 7, 4 / 7]
    assert token_weights(TokenBatch([[0] * 4]), "last").tolist() == [0.0, 0.0, 0.0, 1.0]


def test_max_sends_a_columns_gradient_to_its_winner_alone(xp):
    x = [[1.0, 9.0], [5.0, 2.0], [3.0, 3.0]]
    y, ctx = pooling(xp.asarray(x), TokenBatch([[0, 0], [0]], xp), "max")
    assert y.tolist() == [[5.0, 9.0], [3.0, 3.0]]
    dx = pooling_backward(xp.asarray([[10.0, 20.0], [30.0, 40.0]]), ctx)
    assert dx.tolist() == [[0.0, 20.0], [10.0, 0.0], [30.0, 40.0]]


def test_max_gives_a_tie_to_the_first(xp):
    _, ctx = pooling(xp.ones((3, 2)), TokenBatch([[0, 0, 0]], xp), "max")
    assert pooling_backward(xp.ones((1, 2)), ctx).tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_an_unknown_kind_is_refused(xp):
    with pytest.raises(UsageError, match="unknown pooling 'cls': use one of mean, weighted_mean, last, max"):
        pooling(xp.zeros((1, D)), TokenBatch([[0]], xp), "cls")
