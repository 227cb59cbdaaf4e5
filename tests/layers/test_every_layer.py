"""What must hold for every layer, whatever it computes. The cases are in layer_cases.py."""

import importlib
import pkgutil

import numpy as np
import pytest
from arrays import LAYOUTS, arrays_in, assert_close, freeze, laid_out
from layer_cases import CASES

from minigpt2 import layers
from minigpt2.backend import asarray, to_numpy
from minigpt2.gradcheck import check_gradient

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def on(problem, xp, dtype=np.float64, layout="C"):
    return {name: laid_out(x, layout, xp, dtype) for name, x in problem.inputs.items()}


def upstream(y, xp, layout="C"):
    """A random dy on `xp`, of y's shape and dtype"""
    return laid_out(np.random.default_rng(9).standard_normal(y.shape), layout, xp, y.dtype)


def by_name(gradients, inputs):
    """Gradients as a backward returns them -> a mapping by the names of the inputs"""
    if isinstance(gradients, dict):
        return gradients
    return dict(zip(inputs, gradients if isinstance(gradients, tuple) else (gradients,), strict=True))


def test_every_backward_has_a_case():
    modules = [
        importlib.import_module(f"minigpt2.layers.{module.name}")
        for module in pkgutil.iter_modules(layers.__path__)
    ]
    written = {name for module in modules for name in vars(module) if name.endswith("_backward")}
    assert written <= set(layers.__all__), "a backward that minigpt2.layers does not export"
    assert written == {case.covers for case in CASES}, (
        "a layer without a case in layer_cases.py, or without a file"
    )


@every_case
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_are_what_the_function_does(case, layout, xp):
    problem = case.build(xp)
    checks = check_gradient(case.name, problem.forward, problem.backward, on(problem, xp, layout=layout))
    checked = {check.input for check in checks}
    assert checked == {name for name, x in problem.inputs.items() if x.size}


@every_case
def test_backward_writes_into_neither_dy_nor_context(case, xp):
    problem = case.build(xp)
    inputs = on(problem, xp)
    y, ctx = problem.forward(**inputs)
    dy = upstream(y, xp)
    kept = [dy, *inputs.values(), *arrays_in(ctx)]
    before = [to_numpy(array).copy() for array in kept]
    freeze(kept)
    problem.backward(dy, ctx)
    for array, copy in zip(kept, before, strict=True):
        np.testing.assert_array_equal(to_numpy(array), copy)


@every_case
def test_float32_stays_float32(case, xp):
    problem = case.build(xp)
    inputs = on(problem, xp, np.float32)
    y, ctx = problem.forward(**inputs)
    gradients = by_name(problem.backward(upstream(y, xp), ctx), inputs)
    assert y.dtype == np.float32
    assert {name: gradient.dtype for name, gradient in gradients.items()} == dict.fromkeys(inputs, np.float32)
    floats = [array for array in arrays_in(ctx) if array.dtype.kind == "f"]
    assert all(array.dtype == np.float32 for array in floats), "the context holds a float64 array"


@every_case
def test_float32_agrees_with_float64(case, xp):
    problem = case.build(xp)
    results = []
    for dtype in (np.float32, np.float64):
        y, ctx = problem.forward(**on(problem, xp, dtype))
        results.append([y, *by_name(problem.backward(upstream(y, xp), ctx), problem.inputs).values()])
    for single, double in zip(*results, strict=True):
        scale = float(np.abs(to_numpy(double)).max(initial=1.0))
        assert_close(single, to_numpy(double), 1e-5 * scale)


@every_case
@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_layout_does_not_matter(case, layout, xp):
    problem = case.build(xp)
    y, ctx = problem.forward(**on(problem, xp))
    expected = by_name(problem.backward(upstream(y, xp), ctx), problem.inputs)
    y_too, ctx = problem.forward(**on(problem, xp, layout=layout))
    actual = by_name(problem.backward(upstream(y, xp, layout), ctx), problem.inputs)
    assert_close(y_too, to_numpy(y), 1e-12)
    for name in problem.inputs:
        assert_close(actual[name], to_numpy(expected[name]), 1e-12)


@every_case
def test_two_forwards_in_flight_do_not_disturb_each_other(case, xp):
    problem = case.build(xp)
    first = on(problem, xp)
    second = {name: asarray(x[..., ::-1] * 0.5, xp) for name, x in problem.inputs.items()}

    def alone(inputs):
        y, ctx = problem.forward(**inputs)
        return [y, *by_name(problem.backward(upstream(y, xp), ctx), inputs).values()]

    y_1, ctx_1 = problem.forward(**first)
    y_2, ctx_2 = problem.forward(**second)
    in_flight_1 = [y_1, *by_name(problem.backward(upstream(y_1, xp), ctx_1), first).values()]
    in_flight_2 = [y_2, *by_name(problem.backward(upstream(y_2, xp), ctx_2), second).values()]
    # Atomic additions on a GPU come in any order, so a sum may differ in its last bits.
    tolerance = 0.0 if xp is np else 1e-12
    for actual, expected in ((in_flight_1, alone(first)), (in_flight_2, alone(second))):
        for a, e in zip(actual, expected, strict=True):
            assert_close(a, to_numpy(e), tolerance)


@every_case
def test_backward_twice_gives_the_same(case, xp):
    problem = case.build(xp)
    y, ctx = problem.forward(**on(problem, xp))
    dy = upstream(y, xp)
    once = by_name(problem.backward(dy, ctx), problem.inputs)
    again = by_name(problem.backward(dy, ctx), problem.inputs)
    for name in problem.inputs:
        assert_close(again[name], to_numpy(once[name]), 0.0 if xp is np else 1e-12)
