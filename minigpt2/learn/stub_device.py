"""A stand-in for CuPy that needs no GPU: it computes on the host, counts, and refuses what fails there.

    with stub_device() as device:
        y = f(device.asarray(x))            # for its arrays `array_module` gives the stand-in
    device.launches, device.bytes

It counts a launch for each operation that computes, and the bytes that the operation reads and writes; views
are free. It refuses to mix arrays of the host and of the device, NumPy functions on device arrays, and what
would make the host wait for the device: `if x`, `float(x)`, `.item()`. CuPy lets some of these pass and is
slow then. `.get()` copies to the host and says so.
"""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from .checking import WrongAnswer

MAKING = ("zeros", "ones", "empty", "full", "arange", "eye", "tri")
MAKING_LIKE = ("zeros_like", "ones_like", "empty_like", "full_like")
VIEWS = ("reshape", "transpose", "swapaxes", "ravel", "squeeze")
REDUCTIONS = ("sum", "mean", "max", "min", "argmax", "argmin", "cumsum")


class Device:
    """The counters, and the way onto the device."""

    def __init__(self) -> None:
        self.launches = 0
        self.bytes = 0

    def asarray(self, x: Any) -> "DeviceArray":
        """A copy of a host array, or the device array itself."""
        return x if isinstance(x, DeviceArray) else DeviceArray(np.array(x), self)

    def run(self, function: Callable[..., Any], *args: Any, out: Any = None, **options: Any) -> Any:
        """One launch."""
        values, named = _host(args), {name: _host(value) for name, value in options.items()}
        result = function(*values, **named) if out is None else function(*values, out=_host(out), **named)
        self.launches += 1
        self.bytes += sum(value.nbytes for value in _arrays(values)) + np.asarray(result).nbytes
        return out if out is not None else DeviceArray(np.asarray(result), self)


class DeviceArray:
    """An array that is only to be had through its device."""

    __hash__ = None

    def __init__(self, values: np.ndarray, device: Device) -> None:
        self._values, self._device = values, device

    shape = property(lambda self: self._values.shape)
    ndim = property(lambda self: self._values.ndim)
    size = property(lambda self: self._values.size)
    dtype = property(lambda self: self._values.dtype)
    nbytes = property(lambda self: self._values.nbytes)
    T = property(lambda self: DeviceArray(self._values.T, self._device))

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype})"

    def get(self) -> np.ndarray:
        """A copy on the host: said aloud, so allowed."""
        return self._values.copy()

    def astype(self, dtype: Any, copy: bool = True) -> "DeviceArray":
        if not copy and self.dtype == dtype:
            return self
        return self._device.run(lambda x: x.astype(dtype), self)

    def copy(self) -> "DeviceArray":
        return self._device.run(np.copy, self)

    def __getitem__(self, place: Any) -> "DeviceArray":
        found = self._values[_host(place)]
        if np.shares_memory(found, self._values):
            return DeviceArray(found, self._device)
        return self._device.run(lambda x: x, DeviceArray(np.asarray(found), self._device))

    def __setitem__(self, place: Any, value: Any) -> None:
        self._values[_host(place)] = _host(value)
        self._device.launches += 1
        self._device.bytes += 2 * np.asarray(self._values[_host(place)]).nbytes

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """A NumPy scalar times an array of the device is fine; all else that NumPy begins is not."""
        others = [x for x in inputs if not isinstance(x, DeviceArray)]
        if method == "__call__" and others and all(isinstance(x, np.generic) for x in others):
            return self._device.run(function, *inputs)
        _host(others)
        return self.__array__()

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise WrongAnswer(
            "a NumPy function was given an array of the GPU",
            reason="NumPy cannot compute on the device: call the same function of xp = array_module(x)",
        )

    def _wait(self, *_: Any) -> Any:
        raise WrongAnswer(
            "the host asks for a number of the device (`if x`, `float(x)`, `.item()`) and waits for it",
            reason="such a question stops everything: decide with xp.where on the device, or from shapes",
        )

    __bool__ = __float__ = __int__ = __index__ = __iter__ = item = tolist = _wait


def _operator(function: Callable[..., Any], swapped: bool = False) -> Callable[..., Any]:
    def operate(self: DeviceArray, other: Any) -> DeviceArray:
        pair = (other, self) if swapped else (self, other)
        return self._device.run(function, *pair)

    return operate


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: self._device.run(function, self, other, out=self)


def _view(name: str) -> Callable[..., Any]:
    return lambda self, *args: DeviceArray(getattr(self._values, name)(*args), self._device)


def _method(name: str) -> Callable[..., Any]:
    return lambda self, *args, **options: self._device.run(getattr(np, name), self, *args, **options)


for _name, _function in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "matmul": np.matmul,
    "pow": np.power,
    "and": np.logical_and,
    "or": np.logical_or,
}.items():
    setattr(DeviceArray, f"__{_name}__", _operator(_function))
    setattr(DeviceArray, f"__r{_name}__", _operator(_function, swapped=True))
    if _name != "matmul":
        setattr(DeviceArray, f"__i{_name}__", _in_place(_function))
for _name, _function in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    setattr(DeviceArray, f"__{_name}__", _operator(_function))
for _name, _function in {"neg": np.negative, "invert": np.logical_not, "abs": np.abs}.items():
    setattr(DeviceArray, f"__{_name}__", lambda self, f=_function: self._device.run(f, self))
for _name in VIEWS:
    setattr(DeviceArray, _name, _view(_name))
for _name in REDUCTIONS:
    setattr(DeviceArray, _name, _method(_name))
DeviceArray.__module__ = "cupy"  # by which array_module knows an array of the device


@contextlib.contextmanager
def stub_device() -> Iterator[Device]:
    """While it lasts, the stand-in is what `array_module` gives for its arrays."""
    device = Device()
    before = sys.modules.get("cupy")
    sys.modules["cupy"] = _module(device)
    try:
        yield device
    finally:
        del sys.modules["cupy"]
        if before is not None:
            sys.modules["cupy"] = before


def _module(device: Device) -> ModuleType:
    """What an exercise sees as `xp`."""
    module = ModuleType("cupy")
    for name in (*MAKING, *MAKING_LIKE):
        setattr(module, name, functools.partial(_made, device, getattr(np, name)))
    module.ndarray = DeviceArray
    module.asarray = module.array = lambda x, dtype=None: _onto(device, x, dtype)
    module.__getattr__ = functools.partial(_numpys, device)  # whatever else NumPy has
    return module


def _numpys(device: Device, name: str) -> Any:
    """NumPy's constant, type or function of this name; a function runs on the device."""
    found = getattr(np, name)
    is_function = callable(found) and not isinstance(found, type)
    return functools.partial(device.run, found) if is_function else found


def _made(device: Device, function: Callable[..., Any], *args: Any, **options: Any) -> DeviceArray:
    return DeviceArray(function(*(_host(arg) for arg in args), **options), device)


def _onto(device: Device, x: Any, dtype: Any) -> DeviceArray:
    array = device.asarray(x)
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def _host(value: Any) -> Any:
    """The values behind device arrays, in nested arguments too; an array of the host is refused."""
    if isinstance(value, DeviceArray):
        return value._values
    if isinstance(value, np.ndarray) and value.ndim:
        raise WrongAnswer(
            "an array of the host meets one of the GPU in one operation",
            reason="make it on the device, xp.arange(…), or bring it there first, xp.asarray(…)",
        )
    if isinstance(value, (list, tuple)):
        return type(value)(_host(part) for part in value)
    return value


def _arrays(values: Any) -> Iterator[np.ndarray]:
    for value in values:
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _arrays(value)
