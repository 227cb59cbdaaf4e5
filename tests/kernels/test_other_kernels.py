"""Kernels that are no pair of forward and backward."""

import numpy as np
import pytest
from kernel_cases import batch_of, block_weights, normal

from minigpt2.config import GPT2Config
from minigpt2.kernels import use_kernels
from minigpt2.kernels.numpy_attention import _hidden
from minigpt2.layers import (
    attend,
    block,
    block_backward,
    cross_entropy,
    embedding,
    embedding_backward,
    linear,
    linear_backward,
)
from minigpt2.model import add_embedding_gradient
from minigpt2.training.randomness import CountedGenerator

V, P, D = 53, 47, 20


def test_the_embedding_gradient_is_added_to_what_is_there():
    for lengths in [(0, 0), (1,), (1, 4, 0, 1, 5, 4), (41,) * 30]:
        batch = batch_of(lengths)
        _, ctx = embedding(batch.ids, batch.positions, normal(V, D), normal(P, D))
        dx = normal(batch.N, D, seed=3)
        results = []
        for mode in ("explicit", "fused"):
            dwte, dwpe = normal(V, D, seed=4), normal(P, D, seed=5)
            with use_kernels(mode):
                assert add_embedding_gradient(dx, ctx, dwte, dwpe) is None
            results.append((dwte, dwpe))
        for explicit, fused in zip(*results, strict=True):
            np.testing.assert_allclose(fused, explicit, rtol=0, atol=1e-6 * np.abs(explicit).max())


def test_ids_that_count_from_the_end_of_the_table():
    ids, positions = np.array([V - 1, 3, -1, 3, -V, 0]), np.array([0, -1, 2, P - 1, 4, 5])
    dy = normal(6, D, seed=3)
    results = []
    for mode in ("explicit", "fused"):
        dwte, dwpe = normal(V, D, seed=4), normal(P, D, seed=5)
        with use_kernels(mode):
            y, ctx = embedding(ids, positions, normal(V, D), normal(P, D))
            add_embedding_gradient(dy, ctx, dwte, dwpe)
            results.append((y, *embedding_backward(dy, ctx), dwte, dwpe))
    for explicit, fused in zip(*results, strict=True):
        np.testing.assert_allclose(fused, explicit, rtol=0, atol=1e-6 * np.abs(explicit).max())


def test_what_is_out_of_range_is_refused():
    for mode in ("explicit", "fused"):
        with use_kernels(mode):
            with pytest.raises(IndexError):
                embedding(np.array([1, V]), np.array([0, 1]), normal(V, D), normal(P, D))
            with pytest.raises(IndexError):
                embedding(np.array([1, 2]), np.array([0, P]), normal(V, D), normal(P, D))
            with pytest.raises(IndexError):
                cross_entropy(normal(5, V), np.array([1, 2, V, 0, 1]))
            with pytest.raises((IndexError, ValueError)):
                cross_entropy(normal(5, V), np.array([1, 2, 3, 0, 1, 1]))


def test_other_numbers_of_axes_go_the_explicit_way():
    weight, bias = normal(D, 7), normal(7)
    for shape in [(D,), (5, D), (2, 3, D)]:
        with use_kernels("explicit"):
            expected, _ = linear(normal(*shape), weight, bias)
        with use_kernels("fused"):
            y, ctx = linear(normal(*shape), weight, bias)
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
        if len(shape) == 2:
            assert linear_backward(y, ctx)[0].shape == shape


def test_one_mask_serves_many_lengths():
    _hidden.cache_clear()
    with use_kernels("fused"):
        for T in range(1, 41):
            attend(normal(T, 3 * D), batch_of((T,)), 2)
    assert _hidden.cache_info().currsize <= 7


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_a_block_with_residual_dropout(rate):
    """No kernel of the whole block draws it: its parts have theirs."""
    batch, F = batch_of((3, 7, 0, 7, 12)), 44
    config = GPT2Config(
        vocab_size=V,
        n_positions=P,
        n_embd=D,
        n_layer=1,
        n_head=4,
        n_inner=F,
        attn_pdrop=rate,
        resid_pdrop=0.3,
    )
    x, dy = normal(batch.N, D), normal(batch.N, D, seed=3)
    results = []
    for forward_mode, backward_mode in (("explicit", "explicit"), ("fused", "fused"), ("explicit", "fused")):
        with use_kernels(forward_mode):
            y, ctx = block(x, block_weights(D, F), batch, config, CountedGenerator(np, 3))
        with use_kernels(backward_mode):
            dx, gradients = block_backward(dy, ctx)
        results.append([y, dx, *(gradients[name] for name in sorted(gradients))])
    for other in results[1:]:
        for explicit, fused in zip(results[0], other, strict=True):
            np.testing.assert_allclose(fused, explicit, rtol=0, atol=1e-5 * np.abs(explicit).max())
    assert np.count_nonzero(ctx.mlp_dropout.keep) < ctx.mlp_dropout.keep.size
