import naive
import numpy as np
import pytest
from arrays import LAYOUTS, assert_close, laid_out
from layer_cases import LENGTHS, RATE, D, H, batch_of, block_config, block_weights, normal

from minigpt2.backend import asarray, to_numpy
from minigpt2.layers import block, block_backward


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["causal", "bidirectional"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_equals_the_loops(lengths, kind, layout, xp):
    batch = batch_of(lengths, xp)
    x, weights = normal(batch.N, D), block_weights()
    on_xp = {name: laid_out(weight, layout, xp) for name, weight in weights.items()}
    y, _ = block(laid_out(x, layout, xp), on_xp, batch, block_config(kind))
    as_lists = {name: weight.tolist() for name, weight in weights.items()}
    expected = naive.block(x.tolist(), as_lists, LENGTHS[lengths], H, kind == "causal")
    assert_close(y, expected, 1e-12)


def test_epsilon_of_the_configuration_reaches_both_layernorms(xp):
    batch = batch_of("scattered", xp)
    x, weights = normal(batch.N, D), block_weights()
    config = block_config().replace(layer_norm_epsilon=0.5)
    y, _ = block(asarray(x, xp), {name: asarray(w, xp) for name, w in weights.items()}, batch, config)
    as_lists = {name: weight.tolist() for name, weight in weights.items()}
    expected = naive.block(x.tolist(), as_lists, LENGTHS["scattered"], H, eps=0.5)
    assert_close(y, expected, 1e-12)


def test_dropout_falls_on_what_is_added_and_not_on_the_stream(xp):
    batch = batch_of("unequal", xp)
    weights = {name: asarray(w, xp) for name, w in block_weights().items()}
    x = normal(batch.N, D)
    config = block_config(rate=0.5).replace(attn_pdrop=0.0)
    y, ctx = block(asarray(x, xp), weights, batch, config, xp.random.default_rng(1))
    attn_keep, mlp_keep = to_numpy(ctx.attn_dropout.keep), to_numpy(ctx.mlp_dropout.keep)
    h, y = to_numpy(ctx.ln_2.x), to_numpy(y)
    np.testing.assert_array_equal(h[~attn_keep], x[~attn_keep])
    np.testing.assert_array_equal(y[~mlp_keep], h[~mlp_keep])
    assert (h[attn_keep] != x[attn_keep]).all()
    assert (y[mlp_keep] != h[mlp_keep]).all()


def test_resid_and_attn_dropout_are_switched_separately(xp):
    batch = batch_of("scattered", xp)
    weights = {name: asarray(w, xp) for name, w in block_weights().items()}
    x = asarray(normal(batch.N, D), xp)
    only_attn = block_config().replace(attn_pdrop=RATE)
    only_resid = block_config().replace(resid_pdrop=RATE)
    _, ctx = block(x, weights, batch, only_attn, xp.random.default_rng(1))
    assert ctx.attn_dropout.keep is None
    assert ctx.mlp_dropout.keep is None
    assert all(dropped.keep is not None for dropped in ctx.attn.attend.dropouts)
    _, ctx = block(x, weights, batch, only_resid, xp.random.default_rng(1))
    assert ctx.attn_dropout.keep is not None
    assert ctx.mlp_dropout.keep is not None
    assert all(dropped.keep is None for dropped in ctx.attn.attend.dropouts)


def test_with_silent_sublayers_input_and_gradient_pass_unchanged(xp):
    batch = batch_of("scattered", xp)
    weights = {name: asarray(w, xp) for name, w in block_weights().items()}
    for name in ("attn.c_proj.weight", "attn.c_proj.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"):
        weights[name] = xp.zeros_like(weights[name])
    x, dy = normal(batch.N, D), normal(batch.N, D, seed=2)
    y, ctx = block(asarray(x, xp), weights, batch, block_config())
    dx, _ = block_backward(asarray(dy, xp), ctx)
    assert_close(y, x, 0.0)
    assert_close(dx, dy, 0.0)
