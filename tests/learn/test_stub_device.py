"""The stand-in for a GPU: computes what NumPy computes, counts, refuses."""

import math

import numpy as np
import pytest

from minigpt2.backend import array_module
from minigpt2.layers import layernorm, softmax
from minigpt2.learn.checking import WrongAnswer
from minigpt2.learn.stub_device import DeviceArray, stub_device


def test_the_packages_own_layers_run_on_it(rng):
    x, gain, bias = rng.standard_normal((3, 5)), rng.standard_normal(5), rng.standard_normal(5)
    with stub_device() as device:
        y, _ = layernorm(*(device.asarray(v) for v in (x, gain, bias)))
        weights, _ = softmax(device.asarray(x))
    assert isinstance(y, DeviceArray)
    np.testing.assert_array_equal(y.get(), layernorm(x, gain, bias)[0])
    np.testing.assert_array_equal(weights.get(), softmax(x)[0])


def test_launches_and_bytes(rng):
    x = rng.standard_normal((4, 6))
    with stub_device() as device:
        y = device.asarray(x)
        z = y * 2.0
        assert (device.launches, device.bytes) == (1, 2 * x.nbytes)
        z += y
        assert (device.launches, device.bytes) == (2, 5 * x.nbytes)
        z.reshape(6, 4).T[1:]
        assert device.launches == 2, "views are free"


def test_array_module_is_the_stand_in_only_meanwhile():
    with stub_device() as device:
        x = device.asarray([1.0, 4.0])
        assert array_module(x) is not np
        np.testing.assert_array_equal(array_module(x).sqrt(x).get(), [1.0, 2.0])
    assert array_module(np.ones(1)) is np


REFUSED = {
    "a NumPy function": (lambda x, h: np.exp(x), "NumPy cannot compute on the device"),
    "a NumPy function of several": (lambda x, h: np.concatenate([x, x]), "NumPy cannot compute"),
    "asarray": (lambda x, h: np.asarray(x), "NumPy cannot compute"),
    "host on the right": (lambda x, h: x + h, "array of the host meets"),
    "host on the left": (lambda x, h: h * x, "array of the host meets"),
    "host in xp": (lambda x, h: array_module(x).where(h > 0, x, 0.0), "array of the host meets"),
    "host as an index": (lambda x, h: x[np.array([0, 1])], "array of the host meets"),
    "if": (lambda x, h: 1 if x.sum() > 0 else 0, "such a question stops everything"),
    "float": (lambda x, h: float(x.sum()), "such a question stops everything"),
    "math": (lambda x, h: math.sqrt(x.sum()), "such a question stops everything"),
    "a loop": (lambda x, h: list(x), "such a question stops everything"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    function, reason = REFUSED[case]
    host = np.array([1.0, -2.0])
    with stub_device() as device, pytest.raises(WrongAnswer) as raised:
        function(device.asarray(host), host)
    assert reason in str(raised.value)


def test_a_numpy_scalar_is_welcome():
    with stub_device() as device:
        y = np.float64(2.0) * device.asarray([1.0, 3.0])
    np.testing.assert_array_equal(y.get(), [2.0, 6.0])
