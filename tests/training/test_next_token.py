"""The chunked next-token loss against cross-entropy over all tied logits at once, and a plain loop."""

import tracemalloc

import naive
import numpy as np
import pytest
from arrays import assert_close
from loss_cases import SENTENCES, D, V, unit_rows

from minigpt2.backend import asarray, to_numpy
from minigpt2.errors import UsageError
from minigpt2.layers import cross_entropy, cross_entropy_backward
from minigpt2.model import next_tokens
from minigpt2.ragged import TokenBatch
from minigpt2.training.losses import next_token, next_token_backward

ROWS = 9  # tokens of SENTENCES that have a next one


def inputs(xp):
    batch = TokenBatch(SENTENCES, xp)
    return asarray(2 * unit_rows(batch.N, D), xp), asarray(2 * unit_rows(V, D), xp), batch


def test_equals_the_loop(xp):
    hidden, wte, batch = inputs(xp)
    logits, targets, start = [], [], 0
    for sentence in SENTENCES:
        for t, following in enumerate(sentence[1:]):
            row = to_numpy(hidden)[start + t]
            logits.append([sum(row[d] * token[d] for d in range(D)) for token in to_numpy(wte)])
            targets.append(following)
        start += len(sentence)
    assert len(targets) == ROWS
    loss, _ = next_token(hidden, wte, batch)
    assert float(loss) == pytest.approx(naive.cross_entropy(logits, targets), rel=1e-13)


@pytest.mark.parametrize("chunk_rows", [1, 4, ROWS - 1, ROWS, ROWS + 1, 1024])
def test_equals_cross_entropy_over_all_logits(chunk_rows, xp):
    hidden, wte, batch = inputs(xp)
    rows, targets = next_tokens(batch)
    expected, cross_entropy_ctx = cross_entropy(hidden[rows] @ wte.T, targets)
    dlogits = cross_entropy_backward(2.5, cross_entropy_ctx)
    dhidden = np.zeros(hidden.shape)
    dhidden[to_numpy(rows)] = to_numpy(dlogits @ wte)

    loss, ctx = next_token(hidden, wte, batch, chunk_rows)
    assert float(loss) == pytest.approx(float(expected), rel=1e-14)
    actual = next_token_backward(2.5, ctx)
    assert_close(actual[0], dhidden, 1e-14)
    assert_close(actual[1], to_numpy(dlogits.T @ hidden[rows]), 1e-14)


def test_rows_without_a_next_token_hear_nothing(xp):
    hidden, wte, batch = inputs(xp)
    dhidden, _ = next_token_backward(1.0, next_token(hidden, wte, batch)[1])
    silent = np.flatnonzero(~to_numpy(dhidden).any(axis=1))
    assert silent.tolist() == [0, 4, 6, 12]  # each sentence's last token


def test_never_holds_all_logits():
    D, V, T = 4, 500, 1001
    rng = np.random.default_rng(0)
    batch = TokenBatch([rng.integers(0, V, T)])
    hidden, wte = rng.standard_normal((T, D)), rng.standard_normal((V, D))
    tracemalloc.start()
    _, ctx = next_token(hidden, wte, batch, chunk_rows=20)
    next_token_backward(1.0, ctx)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 1000 * V / 4  # a quarter of all logits in float64


def test_refuses_a_batch_without_a_next_token_and_a_chunk_without_rows(xp):
    hidden, wte, batch = inputs(xp)
    with pytest.raises(ValueError, match="no sentence has two tokens"):
        next_token(hidden[:2], wte, TokenBatch([[3], [], [1]], xp))
    with pytest.raises(UsageError, match="chunk_rows is 0: a chunk needs at least one row"):
        next_token(hidden, wte, batch, chunk_rows=0)
