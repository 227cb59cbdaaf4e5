import importlib.util
import sys
import types

import numpy as np
import pytest

import minigpt2.backend
from minigpt2.backend import array_module, asarray, choose_backend, gpu_problem, to_numpy
from minigpt2.errors import DeviceError, UsageError

NOT_INSTALLED = (
    "CuPy is not installed: pip install 'minigpt2[gpu]' for CUDA 12, "
    "or pip install 'minigpt2[gpu-cu13]' for CUDA 13"
)
ASKS_FOR_THE_GPU = [{"device": "cuda"}, {"xp": "cupy"}, {"xp": "cupy", "device": "auto"}]


@pytest.fixture
def fresh_probe():
    """The probe remembers its answer: forget it before and after a test that changes the machine."""
    gpu_problem.cache_clear()
    yield
    gpu_problem.cache_clear()


@pytest.fixture
def without_cupy(monkeypatch, fresh_probe):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *args: None if name == "cupy" else find_spec(name, *args)
    )


@pytest.fixture
def pretend_cupy(monkeypatch, fresh_probe):
    """A module named cupy that computes with NumPy and can be told what is broken"""
    cupy = types.ModuleType("cupy")
    cupy.__spec__ = importlib.util.spec_from_loader("cupy", loader=None)
    cupy.__version__ = "14.2.0"
    cupy.float32 = np.float32
    cupy.ones = np.ones
    cupy.cuda = types.SimpleNamespace(is_available=lambda: True)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    return cupy


# The CPU


@pytest.mark.parametrize(
    "asked", [{}, {"xp": np}, {"xp": "numpy"}, {"device": "cpu"}, {"xp": np, "device": "cpu"}]
)
def test_the_cpu_needs_no_probe(asked, monkeypatch):
    def probed():
        raise AssertionError("the GPU was probed although nobody asked for it")

    monkeypatch.setattr(minigpt2.backend, "gpu_problem", probed)
    backend = choose_backend(**asked)
    assert backend.xp is np
    assert (backend.device, backend.dtype) == ("cpu", np.float32)
    assert backend.reason == ("the CPU was asked for" if asked else "the CPU is the default")


def test_the_decision_can_be_printed():
    backend = choose_backend(dtype="float64")
    assert str(backend) == f"numpy {np.__version__} on cpu, float64: the CPU is the default"


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), None])
def test_float32_in_all_its_spellings(dtype):
    assert choose_backend(dtype=dtype).dtype == np.dtype("float32")


@pytest.mark.parametrize(
    "dtype", ["float16", "int8", "bfloat16", "double precision", np.complex64, 32, object()]
)
def test_another_dtype_is_refused(dtype):
    with pytest.raises(UsageError, match=r"unknown dtype .*: use one of float32, float64"):
        choose_backend(dtype=dtype)


# Arguments that make no sense


@pytest.mark.parametrize("device", ["gpu", "cuda:0", "", "CPU"])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(UsageError, match=f"unknown device {device!r}: use one of cpu, cuda, auto"):
        choose_backend(device=device)


@pytest.mark.parametrize("xp", ["torch", types.ModuleType("jax.numpy"), 3])
def test_an_unknown_module_is_refused(xp):
    with pytest.raises(UsageError, match=r"unknown array module .*: use numpy or cupy"):
        choose_backend(xp)


@pytest.mark.parametrize(("xp", "device"), [("numpy", "cuda"), (np, "cuda"), ("cupy", "cpu")])
def test_module_and_device_that_contradict_each_other(xp, device):
    name = xp if isinstance(xp, str) else "numpy"
    with pytest.raises(UsageError, match=f"xp={name} and device={device!r} contradict each other"):
        choose_backend(xp, device)


# A GPU that is asked for and unusable: one line that says what to do


def refusal(**asked):
    with pytest.raises(DeviceError) as caught:
        choose_backend(**asked)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("asked", ASKS_FOR_THE_GPU)
def test_without_cupy_the_message_is_the_pip_line(asked, without_cupy):
    assert refusal(**asked) == NOT_INSTALLED


@pytest.mark.parametrize("asked", ASKS_FOR_THE_GPU)
def test_without_a_driver(asked, pretend_cupy):
    pretend_cupy.cuda.is_available = lambda: False
    assert "finds no CUDA GPU or driver: check nvidia-smi, or use --device cpu" in refusal(**asked)


def test_missing_cuda_libraries_show_at_the_first_product(pretend_cupy):
    class Broken(np.ndarray):
        def __matmul__(self, other):
            raise RuntimeError("libcublas.so.12: cannot open shared object file\nmore\nlines")

    pretend_cupy.ones = lambda shape, dtype: np.ones(shape, dtype).view(Broken)
    message = refusal(device="cuda")
    assert message.startswith(
        "CuPy is installed but does not work here (libcublas.so.12: cannot open shared object file): pip "
    )


def test_an_error_without_a_message_is_named_by_its_class(pretend_cupy):
    def ones(shape, dtype):
        raise MemoryError

    pretend_cupy.ones = ones
    assert "does not work here (MemoryError)" in refusal(device="cuda")


def test_a_gpu_that_computes_wrongly(pretend_cupy):
    pretend_cupy.ones = np.zeros
    assert "the GPU computed a wrong product: check the driver" in refusal(device="cuda")


def test_a_cupy_that_cannot_be_imported(monkeypatch, pretend_cupy):
    def broken():
        raise ImportError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(minigpt2.backend, "_import_cupy", broken)
    assert "does not work here (libcuda.so.1: cannot open shared object file)" in refusal(device="cuda")


# Falling back, and choosing the GPU


def test_auto_falls_back_and_says_why(without_cupy):
    backend = choose_backend(device="auto", dtype="float64")
    assert (backend.xp, backend.device, backend.dtype) == (np, "cpu", np.float64)
    assert backend.reason == f"device 'auto' found no usable GPU ({NOT_INSTALLED})"


def test_auto_with_numpy_stays_on_the_cpu(pretend_cupy):
    backend = choose_backend("numpy", "auto")
    assert (backend.xp, backend.device) == (np, "cpu")


def test_auto_takes_a_gpu_that_works(pretend_cupy):
    backend = choose_backend(device="auto")
    assert (backend.xp, backend.device) == (pretend_cupy, "cuda")
    assert str(backend) == "cupy 14.2.0 on cuda, float32: device 'auto' found a usable GPU"


@pytest.mark.parametrize("asked", ASKS_FOR_THE_GPU)
def test_a_gpu_that_works_is_taken_when_asked_for(asked, pretend_cupy):
    backend = choose_backend(**asked)
    assert (backend.xp, backend.device, backend.reason) == (pretend_cupy, "cuda", "the GPU was asked for")


def test_the_probe_is_made_once(pretend_cupy):
    calls = []
    pretend_cupy.cuda.is_available = lambda: calls.append(1) or True
    choose_backend(device="cuda")
    choose_backend(device="auto")
    assert len(calls) == 1


# Arrays


def test_arrays_know_their_module(xp):
    assert array_module(xp.zeros(3)) is xp
    assert array_module(xp.zeros(())) is xp
    assert array_module(np.zeros(3)) is np
    assert array_module([1.0]) is np
    assert array_module(np.float32(1.0)) is np


def test_values_survive_the_way_to_the_device_and_back(xp):
    host = np.random.default_rng(1).standard_normal((3, 4))
    there = asarray(host.T, xp)
    assert type(there) is xp.ndarray
    assert there.dtype == np.float64
    back = to_numpy(there)
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, host.T)
    np.testing.assert_array_equal(asarray(there, np), host.T)


def test_asarray_converts_lists_and_precision(xp):
    assert asarray([[1, 2], [3, 4]], xp, "float32").tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert asarray(np.ones(2), xp, np.float32).dtype == np.float32
    backend = choose_backend(xp, dtype="float64")
    ours = backend.asarray(xp.ones(2, dtype=np.float32))
    assert type(ours) is xp.ndarray
    assert ours.dtype == np.float64


def test_asarray_copies_nothing_that_is_right_already(xp):
    x = xp.zeros((2, 3))
    assert asarray(x, xp) is x
