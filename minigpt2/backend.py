"""Which array module computes, on which device, in which precision, and why.

The layers are written against `xp`, a module with NumPy's functions: NumPy itself on the CPU, CuPy on an
NVIDIA GPU. This file is the one place that decides between them and, beside `kernels/`, the only one that
imports CuPy. The decision carries its reason, so that `minigpt2 doctor` and `print(encoder.backend)` can
say it.
"""

import functools
import importlib.util
import sys
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .errors import DeviceError, UsageError

Array = Any  # numpy.ndarray or cupy.ndarray: the two share their interface, not a base class

DEVICES = ("cpu", "cuda", "auto")
DTYPES = ("float32", "float64")

INSTALL_HINT = "pip install 'minigpt2[gpu]' for CUDA 12, or pip install 'minigpt2[gpu-cu13]' for CUDA 13"


class Backend(NamedTuple):
    """One decision: where arrays live and what their numbers are."""

    xp: ModuleType  # numpy or cupy
    device: str  # "cpu" or "cuda"
    dtype: np.dtype  # float32 or float64
    reason: str  # one sentence, for people

    def __str__(self) -> str:
        return f"{self.xp.__name__} {self.xp.__version__} on {self.device}, {self.dtype}: {self.reason}"

    def asarray(self, x: Any) -> Array:
        """Any array or nested list, on either device -> an array of this backend's module and dtype."""
        return asarray(x, self.xp, self.dtype)


def array_module(x: Array) -> ModuleType:
    """The module that made `x`: numpy or cupy. Never imports CuPy: an array of its own has done that."""
    if type(x).__module__.partition(".")[0] == "cupy":
        return sys.modules["cupy"]
    return np


def to_numpy(x: Array) -> np.ndarray:
    """The same values in host memory; waits for the GPU if they are on it."""
    return x.get() if array_module(x) is not np else np.asarray(x)


def asarray(x: Any, xp: ModuleType, dtype: Any = None) -> Array:
    """`x` as an array of module `xp`, moved between host and GPU where it must be."""
    if xp is np:
        return np.asarray(to_numpy(x), dtype=dtype)
    return xp.asarray(x, dtype=dtype)


def choose_backend(
    xp: ModuleType | str | None = None, device: str | None = None, dtype: Any = None
) -> Backend:
    """Decide where to compute.

    xp      numpy, cupy or their names; None leaves the choice to `device`
    device  "cpu", "cuda" or "auto" (the GPU if one is usable, the CPU if not); None means the CPU
    dtype   float32 (None) or float64

    Raises DeviceError if the GPU is asked for and unusable, UsageError for any other name or for an `xp`
    that contradicts `device`.
    """
    precision = _parse_dtype(dtype)
    asked = _parse_xp(xp)
    if device is not None and device not in DEVICES:
        raise UsageError(f"unknown device {device!r}: use one of {', '.join(DEVICES)}")
    if (asked, device) in {("numpy", "cuda"), ("cupy", "cpu")}:
        raise UsageError(f"xp={asked} and device={device!r} contradict each other: give one of the two")

    if asked == "cupy" or device == "cuda":
        problem = gpu_problem()
        if problem:
            raise DeviceError(problem)
        return Backend(_import_cupy(), "cuda", precision, "the GPU was asked for")
    if device == "auto" and asked is None:
        problem = gpu_problem()
        if problem is None:
            return Backend(_import_cupy(), "cuda", precision, "device 'auto' found a usable GPU")
        return Backend(np, "cpu", precision, f"device 'auto' found no usable GPU ({problem})")
    reason = "the CPU was asked for" if (asked or device) else "the CPU is the default"
    return Backend(np, "cpu", precision, reason)


@functools.cache
def gpu_problem() -> str | None:
    """Why the GPU cannot be used, with the way to mend it, or None if it can.

    CuPy imports without a driver, and missing CUDA libraries show only at the first product, so the one
    honest probe is to compute something.
    """
    if importlib.util.find_spec("cupy") is None:
        return f"CuPy is not installed: {INSTALL_HINT}"
    try:
        cupy = _import_cupy()
        if not cupy.cuda.is_available():
            return "CuPy is installed but finds no CUDA GPU or driver: check nvidia-smi, or use --device cpu"
        ones = cupy.ones((2, 2), dtype=cupy.float32)
        if float((ones @ ones).sum()) != 8.0:
            return "the GPU computed a wrong product: check the driver with nvidia-smi, or use --device cpu"
    except Exception as error:  # whatever a broken CUDA installation raises
        first_line = str(error).strip().partition("\n")[0] or type(error).__name__
        return f"CuPy is installed but does not work here ({first_line}): {INSTALL_HINT}"
    return None


def _import_cupy() -> ModuleType:
    import cupy

    return cupy


def _parse_xp(xp: ModuleType | str | None) -> str | None:
    if xp is None:
        return None
    name = xp if isinstance(xp, str) else getattr(xp, "__name__", repr(xp))
    if name not in ("numpy", "cupy"):
        raise UsageError(f"unknown array module {name!r}: use numpy or cupy")
    return name


def _parse_dtype(dtype: Any) -> np.dtype:
    try:
        precision = np.dtype(np.float32 if dtype is None else dtype)
    except TypeError:
        precision = None
    if precision is None or precision.name not in DTYPES:
        raise UsageError(f"unknown dtype {dtype!r}: use one of {', '.join(DTYPES)}")
    return precision
