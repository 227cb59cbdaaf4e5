"""What must hold for every loss, whatever it asks for. The cases are in loss_cases.py."""

import importlib
import pkgutil

import numpy as np
import pytest
from arrays import LAYOUTS, arrays_in, assert_close, freeze, laid_out
from loss_cases import CASES

from minigpt2.backend import asarray, to_numpy
from minigpt2.gradcheck import check_gradient
from minigpt2.training import losses

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)

DLOSS = 2.5


def on(problem, xp, dtype=np.float64, layout="C"):
    return {name: laid_out(x, layout, xp, dtype) for name, x in problem.inputs.items()}


def run(problem, inputs, xp):
    """The loss, the gradient of DLOSS · loss by the name of each input, and the context"""
    loss, ctx = problem.forward(**inputs)
    gradients = problem.backward(xp.asarray(DLOSS, dtype=loss.dtype), ctx)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    return loss, dict(zip(inputs, gradients, strict=True)), ctx


def test_every_loss_has_a_case():
    modules = [
        importlib.import_module(f"minigpt2.training.losses.{module.name}")
        for module in pkgutil.iter_modules(losses.__path__)
    ]
    written = {
        name
        for module in modules
        for name, value in vars(module).items()
        if name.endswith("_backward") and value.__module__ == module.__name__
    }
    exported = {name for name in losses.__all__ if name.endswith("_backward")}
    assert exported == written, "a loss that minigpt2.training.losses does not export"
    assert set(losses.__all__) == exported | {name.removesuffix("_backward") for name in exported}
    assert exported == {case.covers for case in CASES}, "a loss without a case in loss_cases.py"


@every_case
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_are_what_the_function_does(case, layout, xp):
    problem = case.build(xp)
    checks = check_gradient(case.name, problem.forward, problem.backward, on(problem, xp, layout=layout))
    assert {check.input for check in checks} == {name for name, x in problem.inputs.items() if x.size}


@every_case
def test_the_loss_is_one_number(case, xp):
    problem = case.build(xp)
    loss, _ = problem.forward(**on(problem, xp))
    assert loss.shape == ()
    assert np.isfinite(float(loss))


@every_case
def test_neither_direction_writes_into_inputs_or_context(case, xp):
    problem = case.build(xp)
    inputs = on(problem, xp)
    freeze(inputs.values())
    _, ctx = problem.forward(**inputs)
    kept = [*inputs.values(), *arrays_in(ctx)]
    before = [to_numpy(array).copy() for array in kept]
    freeze(kept)
    problem.backward(xp.asarray(DLOSS), ctx)
    for array, copy in zip(kept, before, strict=True):
        np.testing.assert_array_equal(to_numpy(array), copy)


@every_case
def test_float32_stays_float32(case, xp):
    problem = case.build(xp)
    loss, gradients, ctx = run(problem, on(problem, xp, np.float32), xp)
    assert loss.dtype == np.float32
    assert {gradient.dtype for gradient in gradients.values()} == {np.dtype(np.float32)}
    floats = [array for array in arrays_in(ctx) if array.dtype.kind == "f"]
    assert floats
    assert all(array.dtype == np.float32 for array in floats), "the context holds a float64 array"


@every_case
def test_float32_agrees_with_float64(case, xp):
    problem = case.build(xp)
    single, gradients, _ = run(problem, on(problem, xp, np.float32), xp)
    double, expected, _ = run(problem, on(problem, xp), xp)
    assert float(single) == pytest.approx(float(double), rel=1e-5, abs=1e-5)
    for name, gradient in gradients.items():
        scale = float(np.abs(to_numpy(expected[name])).max(initial=1.0))
        assert_close(gradient, to_numpy(expected[name]), 1e-5 * scale)


@every_case
def test_the_gradient_scales_with_dloss(case, xp):
    problem = case.build(xp)
    inputs = on(problem, xp)
    _, gradients, ctx = run(problem, inputs, xp)
    once = problem.backward(1.0, ctx)
    once = once if isinstance(once, tuple) else (once,)
    for gradient, expected in zip(once, gradients.values(), strict=True):
        assert_close(gradient * DLOSS, to_numpy(expected), 1e-13)


@every_case
def test_two_forwards_in_flight_do_not_disturb_each_other(case, xp):
    problem = case.build(xp)
    first = on(problem, xp)
    second = {name: asarray(x[..., ::-1], xp) for name, x in problem.inputs.items()}
    _, ctx_1 = problem.forward(**first)
    _, ctx_2 = problem.forward(**second)
    for inputs, ctx in ((second, ctx_2), (first, ctx_1), (first, ctx_1)):
        gradients = problem.backward(DLOSS, ctx)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        _, expected, _ = run(problem, inputs, xp)
        for gradient, name in zip(gradients, inputs, strict=True):
            assert_close(gradient, to_numpy(expected[name]), 1e-13)
