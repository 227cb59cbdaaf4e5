"""Every kernel that is registered against the function that it stands for. The cases: kernel_cases.py."""

import numpy as np
import pytest
from arrays import arrays_in, freeze
from kernel_cases import CASES, LAYOUTS, WITHOUT_BACKWARD, flat, forward, function

from minigpt2 import kernels

FORWARD, BACKWARD = 2e-6, 1e-4  # relative to the largest value of each array

kernel_of = {entry.explicit.__name__: entry.kernel for entry in kernels.registered(np.ndarray)}
forwards = sorted(name for name in kernel_of if not name.endswith("_backward"))
of_registered = [(key, case) for key, case in CASES.items() if case.function in kernel_of]
# Other layouts than row by row need no more than one large size.
in_layouts = [
    (*key, layout, case)
    for key, case in of_registered
    for layout in LAYOUTS
    if layout == "row by row" or key[0] not in ("large, adjacent", "one length")
]
every_case = pytest.mark.parametrize(
    "case", [c for _, c in of_registered], ids=[", ".join(k) for k, _ in of_registered]
)
every_layout = pytest.mark.parametrize(
    ("case", "layout"), [key[2:][::-1] for key in in_layouts], ids=[", ".join(key[:3]) for key in in_layouts]
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """The large cases' tasks go through several blocks, whose usual size would take them whole."""
    monkeypatch.setattr(kernels.numpy_elementwise, "BLOCK", 1 << 13)


def explicitly(run, *arguments):
    with kernels.use_kernels("explicit"):
        return run(*arguments)


def assert_agree(actual, expected, tolerance, what):
    assert len(actual) == len(expected), what
    for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
        assert (a.shape, a.dtype) == (e.shape, e.dtype), f"{what}, array {i}"
        if e.dtype.kind != "f":
            np.testing.assert_array_equal(a, e)
            continue
        allowed = tolerance * float(np.abs(e).max(initial=0.0))
        off = float(np.abs(a - e).max(initial=0.0))
        assert off <= allowed, f"{what}, array {i}: off by {off:.3g}, allowed are {allowed:.3g}"


def upstream(y, layout):
    return layout(np.random.default_rng(9).standard_normal(y.shape).astype(np.float32))


def backwards(case):
    """Explicit and fused; twice the same where a function's backward has no kernel."""
    name = f"{case.function}_backward"
    explicit = getattr(function(name), "explicit", function(name))
    return explicit, kernel_of.get(name, explicit)


def test_everything_registered_has_a_case():
    covered = {case.function for case in CASES.values()} | set(WITHOUT_BACKWARD)
    assert set(forwards) <= covered
    assert set(kernel_of) <= covered | {f"{name}_backward" for name in covered}
    assert len(kernel_of) >= 18


@every_layout
def test_forward_and_context(case, layout):
    inputs = {name: LAYOUTS[layout](x) for name, x in case.inputs.items()}
    y, ctx = forward(kernel_of[case.function], case, inputs)
    y_too, ctx_too = explicitly(forward, function(case.function).explicit, case, inputs)
    assert_agree([y], [y_too], FORWARD, "y")
    assert type(ctx) is type(ctx_too)
    assert_agree(arrays_in(ctx), arrays_in(ctx_too), FORWARD, "the context")


@every_layout
def test_backward_after_either_forward(case, layout):
    explicit, fused = backwards(case)
    inputs = {name: LAYOUTS[layout](x) for name, x in case.inputs.items()}
    y, ctx = forward(kernel_of[case.function], case, inputs)
    _, explicit_ctx = explicitly(forward, function(case.function).explicit, case, inputs)
    dy = 0.7 if y.ndim == 0 else upstream(y, LAYOUTS[layout])
    expected = flat(explicitly(explicit, dy, explicit_ctx))
    assert_agree(flat(fused(dy, ctx)), expected, BACKWARD, "kernel after kernel")
    assert_agree(flat(fused(dy, explicit_ctx)), expected, BACKWARD, "kernel after explicit")
    assert_agree(flat(explicitly(explicit, dy, ctx)), expected, BACKWARD, "explicit after kernel")


@every_case
def test_arguments_are_not_written_to(case):
    y, ctx = forward(kernel_of[case.function], case, {name: x.copy() for name, x in case.inputs.items()})
    dy = 0.7 if y.ndim == 0 else upstream(y, np.ascontiguousarray)
    kept = [*case.inputs.values(), *arrays_in(ctx), *arrays_in(dy)]
    before = [array.copy() for array in kept]
    freeze(kept)
    try:
        forward(kernel_of[case.function], case, case.inputs)
        backwards(case)[1](dy, ctx)
    finally:
        for array in case.inputs.values():
            array.flags.writeable = True
    for array, copy in zip(kept, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@every_case
def test_results_do_not_depend_on_the_number_of_threads(case, monkeypatch):
    def all_arrays():
        y, ctx = forward(kernel_of[case.function], case, case.inputs)
        dy = 0.7 if y.ndim == 0 else upstream(y, np.ascontiguousarray)
        return [y, *arrays_in(ctx), *flat(backwards(case)[1](dy, ctx))]

    results = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(kernels.rows, "threads", lambda threads=threads: threads)
        results.append(all_arrays())
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
