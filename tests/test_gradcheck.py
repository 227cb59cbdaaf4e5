"""The checker must accept right gradients and refuse wrong ones, with a message that helps."""

import functools
import math
import re

import numpy as np
import pytest
from arrays import freeze
from models import SENTENCES, TINY, random_model

import minigpt2.gradcheck
from minigpt2 import layers
from minigpt2.backend import array_module, asarray, to_numpy
from minigpt2.gradcheck import GradientError, check_gradient, check_parameters
from minigpt2.layers.layernorm import normalized
from minigpt2.ragged import TokenBatch

N, D, H, F = 7, 6, 2, 10


def normal(xp, *shape, seed=1):
    return asarray(np.random.default_rng([seed, *shape]).standard_normal(shape), xp)


def refused(layer, forward, backward, inputs, wrong_input):
    """The check must fail, naming the layer and the input, with both numbers, and they must differ"""
    with pytest.raises(GradientError) as caught:
        check_gradient(layer, forward, backward, inputs)
    message = str(caught.value)
    pattern = (
        rf"^{re.escape(layer)}: gradient with respect to {wrong_input!r} along a random direction: "
        r"backward says (\S+), finite differences say (\S+) \(relative error (\S+)\)$"
    )
    match = re.match(pattern, message)
    assert match, message
    analytic, numeric, error = (float(number) for number in match.groups())
    assert analytic != numeric
    assert error > 1e-7
    return error


def layernorm_inputs(xp):
    return {"x": normal(xp, N, D), "gain": normal(xp, D), "bias": normal(xp, D, seed=2)}


def test_a_right_gradient_returns_every_comparison(xp):
    checks = check_gradient("norm", layers.layernorm, layers.layernorm_backward, layernorm_inputs(xp))
    assert [check.input for check in checks] == ["x", "x", "gain", "gain", "bias", "bias"]
    for check in checks:
        assert check.layer == "norm"
        assert check.analytic == pytest.approx(check.numeric, rel=1e-6)
        assert check.error < 1e-8
        assert str(check).startswith(f"norm: gradient with respect to {check.input!r}")
    one = check_gradient(
        "norm", layers.layernorm, layers.layernorm_backward, layernorm_inputs(xp), directions=1
    )
    assert len(one) == 3


def test_the_seed_decides_the_directions(xp):
    def numbers(seed):
        return check_gradient("g", layers.gelu, layers.gelu_backward, {"x": normal(xp, N, F)}, seed=seed)

    assert numbers(1) == numbers(1)
    assert numbers(1)[0].analytic != numbers(2)[0].analytic


# Wrong gradients, each a mistake that people make


def test_layernorm_without_the_stretch_term(xp):
    def backward(dy, ctx):
        dx_hat = dy * ctx.gain
        _, dgain, dbias = layers.layernorm_backward(dy, ctx)
        return (dx_hat - dx_hat.mean(axis=1, keepdims=True)) * ctx.rstd, dgain, dbias

    refused("layernorm", layers.layernorm, backward, layernorm_inputs(xp), "x")


def test_layernorm_without_the_shift_term(xp):
    def backward(dy, ctx):
        dx_hat, x_hat = dy * ctx.gain, normalized(ctx)
        _, dgain, dbias = layers.layernorm_backward(dy, ctx)
        return (dx_hat - x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True)) * ctx.rstd, dgain, dbias

    refused("layernorm", layers.layernorm, backward, layernorm_inputs(xp), "x")


def test_layernorm_with_gain_and_bias_swapped(xp):
    def backward(dy, ctx):
        dx, dgain, dbias = layers.layernorm_backward(dy, ctx)
        return dx, dbias, dgain

    refused("layernorm", layers.layernorm, backward, layernorm_inputs(xp), "gain")


def test_attention_without_the_scale(xp):
    batch = TokenBatch(SENTENCES["scattered"], xp)

    def backward(dz, ctx):
        dqkv = layers.attend_backward(dz, ctx)
        dqkv[:, : 2 * D] *= math.sqrt(D // H)
        return dqkv

    forward = functools.partial(layers.attend, batch=batch, heads=H)
    refused("attention", forward, backward, {"qkv": normal(xp, batch.N, 3 * D)}, "qkv")


def test_attention_with_queries_and_keys_swapped(xp):
    batch = TokenBatch(SENTENCES["scattered"], xp)

    def backward(dz, ctx):
        dqkv = layers.attend_backward(dz, ctx)
        return array_module(dz).concatenate([dqkv[:, D : 2 * D], dqkv[:, :D], dqkv[:, 2 * D :]], axis=1)

    forward = functools.partial(layers.attend, batch=batch, heads=H)
    refused("attention", forward, backward, {"qkv": normal(xp, batch.N, 3 * D)}, "qkv")


def test_embedding_that_counts_a_repeated_id_once(xp):
    ids, positions = xp.asarray([4, 4, 2]), xp.asarray([0, 1, 2])

    def backward(dy, ctx):
        _, dwpe = layers.embedding_backward(dy, ctx)
        dwte = array_module(dy).zeros(ctx.wte_shape)
        dwte[ctx.ids] += dy
        return dwte, dwpe

    def forward(wte, wpe):
        return layers.embedding(ids, positions, wte, wpe)

    refused("embedding", forward, backward, {"wte": normal(xp, 11, D), "wpe": normal(xp, 8, D)}, "wte")


def test_gelu_with_the_exact_forms_derivative(xp):
    """The two forms' derivatives differ by less than 1e-3 everywhere; the check must still see it."""

    def backward(dy, ctx):
        x = to_numpy(ctx.x)
        cdf = 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
        derivative = cdf + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return dy * asarray(derivative, array_module(dy))

    error = refused("gelu", layers.gelu, backward, {"x": normal(xp, N, F)}, "x")
    assert error < 1e-2, "the mistake is meant to be a small one"


def test_softmax_without_the_average(xp):
    def backward(dy, ctx):
        return dy * ctx.y

    refused("softmax", layers.softmax, backward, {"x": normal(xp, 3, 4)}, "x")


def test_a_residual_connection_whose_gradient_is_lost(xp):
    def forward(x):
        y, ctx = layers.gelu(x)
        return x + y, ctx

    refused("residual", forward, layers.gelu_backward, {"x": normal(xp, N, F)}, "x")


@pytest.mark.parametrize("factor", [1.01, 1 + 1e-6, -1.0, 0.0])
def test_a_gradient_scaled_by_a_little_or_flipped_or_missing(factor, xp):
    def backward(dy, ctx):
        dx, dweight, dbias = layers.linear_backward(dy, ctx)
        return dx, dweight * factor, dbias

    inputs = {"x": normal(xp, N, D), "weight": normal(xp, D, F), "bias": normal(xp, F)}
    error = refused("linear", layers.linear, backward, inputs, "weight")
    # Measured along one direction, which may happen to lie somewhat across the gradient.
    assert 0.1 < error / (abs(factor - 1) / max(1, abs(factor))) < 1.01


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_not_a_number(value, xp):
    def backward(dy, ctx):
        dx = layers.gelu_backward(dy, ctx)
        dx[0, 0] = value
        return dx

    with pytest.raises(
        GradientError, match=r"^gelu: gradient with respect to 'x' .*backward says -?(nan|inf)"
    ):
        check_gradient("gelu", layers.gelu, backward, {"x": normal(xp, N, F)})


def test_one_wrong_entry_among_thousands(xp):
    def backward(dy, ctx):
        dx = layers.gelu_backward(dy, ctx)
        dx[17, 23] += 0.01
        return dx

    refused("gelu", layers.gelu, backward, {"x": normal(xp, 100, 60)}, "x")


def test_a_wrong_shape_names_both_shapes(xp):
    def backward(dy, ctx):
        dx, dweight, dbias = layers.linear_backward(dy, ctx)
        return dx, dweight.T, dbias

    inputs = {"x": normal(xp, N, D), "weight": normal(xp, D, F), "bias": normal(xp, F)}
    message = "linear: the gradient with respect to 'weight' has shape (10, 6), but the input has (6, 10)"
    with pytest.raises(GradientError, match=f"^{re.escape(message)}$"):
        check_gradient("linear", layers.linear, backward, inputs)


def test_a_mapping_with_swapped_names(xp):
    """Square weights of equal shape under each other's names: only the numbers can tell"""

    def forward(x, a, b):
        return x @ a + 2.0 * (x @ b), x

    def backward(dy, x):
        return {"x": dy @ (inputs["a"] + 2.0 * inputs["b"]).T, "a": 2.0 * (x.T @ dy), "b": x.T @ dy}

    inputs = {"x": normal(xp, N, D), "a": normal(xp, D, D), "b": normal(xp, D, D, seed=2)}
    refused("sum", forward, backward, inputs, "a")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x"], "(missing: bias, weight; unknown: none)"),
        (["x", "weight", "bias", "wieght"], "(missing: none; unknown: wieght)"),
        (["x", "wieght", "bias"], "(missing: weight; unknown: wieght)"),
    ],
)
def test_a_mapping_with_other_names(names, message, xp):
    inputs = {"x": normal(xp, N, D), "weight": normal(xp, D, F), "bias": normal(xp, F)}

    def backward(dy, ctx):
        return dict.fromkeys(names, dy)

    with pytest.raises(
        GradientError, match=re.escape("the gradients do not have the names of the inputs " + message)
    ):
        check_gradient("linear", layers.linear, backward, inputs)


def test_too_few_gradients(xp):
    inputs = {"x": normal(xp, N, D), "weight": normal(xp, D, F), "bias": normal(xp, F)}
    with pytest.raises(
        GradientError, match=r"^linear: backward returns 2 gradients for 3 inputs \(x, weight, bias\)$"
    ):
        check_gradient("linear", layers.linear, lambda dy, ctx: layers.linear_backward(dy, ctx)[:2], inputs)


# What the checker needs and leaves alone


def test_float32_is_refused(xp):
    with pytest.raises(ValueError, match="gelu: input 'x' is float32; finite differences need float64"):
        check_gradient("gelu", layers.gelu, layers.gelu_backward, {"x": normal(xp, N, F).astype(np.float32)})


def test_inputs_are_not_written(xp):
    inputs = layernorm_inputs(xp)
    before = {name: to_numpy(x).copy() for name, x in inputs.items()}
    freeze(inputs.values())
    check_gradient("layernorm", layers.layernorm, layers.layernorm_backward, inputs)
    for name, x in inputs.items():
        np.testing.assert_array_equal(to_numpy(x), before[name])


def test_an_input_without_entries_has_nothing_to_check(xp):
    assert check_gradient("gelu", layers.gelu, layers.gelu_backward, {"x": xp.zeros((0, F))}) == []


def test_a_gradient_that_is_truly_zero_passes(xp):
    def forward(x, ignored):
        return x * 2.0, None

    def backward(dy, ctx):
        return {"x": dy * 2.0, "ignored": array_module(dy).zeros((D,))}

    checks = check_gradient("half", forward, backward, {"x": normal(xp, N), "ignored": normal(xp, D)})
    assert [check.error for check in checks if check.input == "ignored"] == [0.0, 0.0]


@pytest.mark.parametrize("right", [math.nan, 0.0])
def test_nan_beside_a_zero_is_not_a_zero(right, xp):
    """A NaN in either number is refused, also where the other is 0."""
    calls = []

    def forward(x):
        calls.append(x)
        return x * (0.0 if len(calls) == 1 or math.isnan(right) else math.nan), None

    with pytest.raises(GradientError, match=r"backward says .*nan"):
        check_gradient("odd", forward, lambda dy, ctx: dy * right, {"x": normal(xp, N)})


def test_an_input_that_is_no_array_is_refused():
    with pytest.raises(ValueError, match="input 'x' is list; finite differences need float64"):
        check_gradient("gelu", layers.gelu, layers.gelu_backward, {"x": [1.0, 2.0]})


def test_a_gradient_that_is_zero_but_for_rounding_passes(xp):
    """A constant added to every key moves all scores of a row alike, and softmax cannot see that."""
    batch = TokenBatch(SENTENCES["unequal"], xp)
    keys = slice(D, 2 * D)

    def forward(bias):
        qkv = normal(xp, batch.N, 3 * D)
        qkv[:, keys] += bias
        return layers.attend(qkv, batch, H)

    def backward(dz, ctx):
        return layers.attend_backward(dz, ctx)[:, keys].sum(axis=0)

    inputs = {"bias": normal(xp, D)}
    for right in (backward, lambda dz, ctx: xp.zeros(D)):
        checks = check_gradient("attend", forward, right, inputs)
        assert max(abs(check.numeric) for check in checks) < 1e-10
        assert [check.error for check in checks] == [0.0, 0.0]
    refused("attend", forward, lambda dz, ctx: xp.full(D, 1e-8), inputs, "bias")


def test_a_parameter_without_entries_has_nothing_to_check(xp):
    none = {"bias": xp.zeros(0)}
    assert check_parameters("nothing", lambda: 1.0, none, none) == []


def test_it_is_public():
    assert minigpt2.gradcheck.check_gradient is check_gradient


# A whole model


def model_and_gradients(xp):
    model, batch = random_model(xp=xp), TokenBatch(SENTENCES["scattered"], xp)
    gradients = model.parameters.zeros_like()
    model.loss_backward(model.loss(batch, keep=True)[1], gradients)
    return model, lambda: model.loss(batch)[0], gradients


def test_parameters_are_put_back_exactly_even_when_the_loss_fails(xp):
    model, loss, gradients = model_and_gradients(xp)
    before = to_numpy(model.parameters.flat).copy()
    checks = check_parameters("model", loss, gradients, model.parameters)
    np.testing.assert_array_equal(to_numpy(model.parameters.flat), before)
    assert [check.input for check in checks] == list(model.parameters)

    def failing():
        raise ArithmeticError("no loss today")

    with pytest.raises(ArithmeticError):
        check_parameters("model", failing, gradients, model.parameters)
    np.testing.assert_array_equal(to_numpy(model.parameters.flat), before)


@pytest.mark.parametrize("name", ["wte.weight", "h.1.attn.c_attn.bias", "h.2.mlp.c_fc.weight", "ln_f.bias"])
def test_one_wrong_tensor_of_a_model_is_named(name, xp):
    model, loss, gradients = model_and_gradients(xp)
    gradients[name][...] *= 1.0001
    with pytest.raises(
        GradientError, match=rf"^model: gradient with respect to '{re.escape(name)}' along a random direction"
    ):
        check_parameters("model", loss, gradients, model.parameters)


def test_the_token_table_without_the_heads_share_is_refused(xp):
    model, loss, gradients = model_and_gradients(xp)
    batch = TokenBatch(SENTENCES["scattered"], xp)
    _, ctx = model.loss(batch, keep=True)
    head = model.parameters.zeros_like()
    model.logits_backward(layers.cross_entropy_backward(1.0, ctx.cross_entropy), ctx.logits, head)
    gradients["wte.weight"][...] -= head["wte.weight"]
    with pytest.raises(GradientError, match=r"'wte\.weight'"):
        check_parameters("model", loss, gradients, model.parameters)


def test_gradients_of_a_model_must_have_its_names_and_shapes(xp):
    model, loss, gradients = model_and_gradients(xp)
    fewer = {name: view for name, view in gradients.items() if name != "ln_f.bias"}
    with pytest.raises(GradientError, match=r"missing: ln_f\.bias"):
        check_parameters("model", loss, fewer, model.parameters)
    bent = {**gradients, "ln_f.bias": gradients["ln_f.bias"][None]}
    with pytest.raises(
        GradientError, match=re.escape(f"has shape (1, {TINY.D}), but the input has ({TINY.D},)")
    ):
        check_parameters("model", loss, bent, model.parameters)


def test_float32_parameters_are_refused(xp):
    model = random_model(xp=xp, dtype=np.float32)
    with pytest.raises(ValueError, match=r"model: input 'wte\.weight' is float32"):
        check_parameters("model", lambda: 0.0, model.parameters.zeros_like(), model.parameters)
