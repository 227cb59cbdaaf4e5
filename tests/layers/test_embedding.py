import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import LENGTHS, D, P, V, batch_of, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import embedding, embedding_backward


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lengths", LENGTHS)
def test_equals_the_loops(layout, lengths, xp):
    batch = batch_of(lengths, xp)
    wte, wpe = normal(V, D), normal(P, D)
    y, _ = embedding(batch.ids, batch.positions, laid_out(wte, layout, xp), laid_out(wpe, layout, xp))
    expected = naive.embedding(batch.ids.tolist(), batch.positions.tolist(), wte.tolist(), wpe.tolist())
    assert y.shape == (batch.N, D)
    assert_close(y, expected, 0.0)


def test_a_repeated_id_is_counted_each_time(xp):
    ids, positions = xp.asarray([4, 4, 2, 4]), xp.asarray([0, 1, 0, 1])
    _, ctx = embedding(ids, positions, asarray(normal(V, D), xp), asarray(normal(P, D), xp))
    dy = normal(4, D)
    dwte, dwpe = embedding_backward(asarray(dy, xp), ctx)
    expected_wte, expected_wpe = np.zeros((V, D)), np.zeros((P, D))
    for n in range(4):
        expected_wte[int(ids[n])] += dy[n]
        expected_wpe[int(positions[n])] += dy[n]
    assert_close(dwte, expected_wte, 1e-15)
    assert_close(dwpe, expected_wpe, 1e-15)
    assert np.flatnonzero(to_numpy(dwte).any(axis=1)).tolist() == [2, 4]
