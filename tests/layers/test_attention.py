import math

import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import LENGTHS, RATE, D, H, attention_weights, batch_of, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import attend, attend_backward, attention
from minigpt2.layers.attention import heads_of_groups, masked_scores, merge_heads, split_heads
from minigpt2.ragged import TokenBatch

every_batch = pytest.mark.parametrize("lengths", LENGTHS)
causal_or_not = pytest.mark.parametrize("causal", [True, False])


@every_batch
@causal_or_not
@pytest.mark.parametrize("layout", LAYOUTS)
def test_attend_equals_the_loops(lengths, causal, layout, xp):
    batch = batch_of(lengths, xp)
    qkv = normal(batch.N, 3 * D)
    z, _ = attend(laid_out(qkv, layout, xp), batch, H, causal)
    assert z.shape == (batch.N, D)
    assert_close(z, naive.attend(qkv.tolist(), LENGTHS[lengths], H, causal), 1e-13)


@every_batch
@causal_or_not
def test_attend_with_dropout_equals_the_loops_with_its_mask(lengths, causal, xp):
    batch = batch_of(lengths, xp)
    qkv = normal(batch.N, 3 * D)
    z, ctx = attend(asarray(qkv, xp), batch, H, causal, RATE, xp.random.default_rng(4))
    keep = [None] * batch.B
    for group, dropped in zip(batch.groups_of_equal_length(), ctx.dropouts, strict=True):
        members = xp.arange(batch.B)[group.sentences].tolist()
        for b, mask in zip(members, dropped.keep.tolist(), strict=True):
            keep[b] = mask
    expected = naive.attend(qkv.tolist(), LENGTHS[lengths], H, causal, keep, RATE)
    assert_close(z, expected, 1e-13)


@every_batch
@causal_or_not
@pytest.mark.parametrize("layout", LAYOUTS)
def test_attention_equals_the_loops(lengths, causal, layout, xp):
    batch = batch_of(lengths, xp)
    x, weights = normal(batch.N, D), attention_weights()
    on_xp = {name: laid_out(weight, layout, xp) for name, weight in weights.items()}
    y, _ = attention(laid_out(x, layout, xp), on_xp, batch, H, causal)
    as_lists = {name: weight.tolist() for name, weight in weights.items()}
    assert_close(y, naive.attention(x.tolist(), as_lists, LENGTHS[lengths], H, causal), 1e-12)


@causal_or_not
def test_a_sentence_attends_alike_alone_and_in_company(causal, xp):
    batch = batch_of("scattered", xp)
    qkv = normal(batch.N, 3 * D)
    together, _ = attend(asarray(qkv, xp), batch, H, causal)
    for b, T in enumerate(LENGTHS["scattered"]):
        rows = slice(int(batch.offsets[b]), int(batch.offsets[b]) + T)
        alone, _ = attend(asarray(qkv[rows], xp), TokenBatch([[0] * T], xp), H, causal)
        assert_close(together[rows], to_numpy(alone), 1e-14)


def test_a_single_token_gathers_its_own_value(xp):
    qkv = normal(1, 3 * D)
    z, _ = attend(asarray(qkv, xp), TokenBatch([[5]], xp), H)
    assert_close(z, qkv[:, 2 * D :], 1e-15)


def test_the_gradient_of_a_later_token_does_not_reach_an_earlier_query(xp):
    batch = TokenBatch([[1, 2, 3, 4]], xp)
    _, ctx = attend(asarray(normal(4, 3 * D), xp), batch, H, causal=True)
    dz = np.zeros((4, D))
    dz[2] = 1.0
    dqkv = to_numpy(attend_backward(asarray(dz, xp), ctx))
    assert np.flatnonzero(dqkv[:, :D].any(axis=1)).tolist() == [2]
    assert np.flatnonzero(dqkv[:, D:].any(axis=1)).tolist() == [0, 1, 2]


def test_the_key_bias_has_no_gradient(xp):
    """A constant added to every key moves all scores of a row alike, and softmax cannot see that."""
    batch = batch_of("adjacent", xp)
    _, ctx = attend(asarray(normal(batch.N, 3 * D), xp), batch, H)
    dqkv = attend_backward(asarray(normal(batch.N, D), xp), ctx)
    assert_close(dqkv[:, D : 2 * D].sum(axis=0), np.zeros(D), 1e-14)


def test_masked_scores_hide_exactly_the_later_tokens(xp):
    q = k = asarray(normal(1, H, 4, 3), xp)
    scores = to_numpy(masked_scores(q, k, causal=True))
    hidden = np.array([[u > t for u in range(4)] for t in range(4)])
    assert (scores[..., hidden] == -math.inf).all()
    assert np.isfinite(scores[..., ~hidden]).all()
    assert np.isfinite(to_numpy(masked_scores(q, k, causal=False))).all()


def test_splitting_and_merging_heads_are_inverse(xp):
    batch = batch_of("scattered", xp)
    qkv = asarray(normal(batch.N, 3 * D), xp)
    for group, q, k, v in heads_of_groups(qkv, batch, H):
        assert q.shape == k.shape == v.shape == (group.n, H, group.T, D // H)
        for i, part in enumerate((q, k, v)):
            rows = to_numpy(qkv[group.rows])[:, i * D : (i + 1) * D]
            assert_close(merge_heads(part), rows, 0.0)
            assert_close(split_heads(asarray(rows, xp), group, H), to_numpy(part), 0.0)
            for h in range(H):
                K = D // H
                head = rows[:, h * K : (h + 1) * K].reshape(group.n, group.T, K)
                assert_close(part[:, h], head, 0.0)
