"""Faster ways to compute the functions in `layers/`, and the switch between the two.

    with minigpt2.use_kernels("explicit"):       every function runs as it is written in layers/
        hidden, _ = model.forward(batch)
    with minigpt2.use_kernels("fused"):          where there is a kernel for these arrays, it runs instead

A function says `@replaceable` and is otherwise left alone: it is the specification, reachable as
`layernorm.explicit`. A kernel says `@kernel(layernorm, np.ndarray)`: it takes the same arguments, returns the
same things, a context of the same type and meaning among them, and agrees with the explicit function to
rounding. It is for float32; what it is not made for it hands back with NotImplemented, and the explicit
function runs. So it does inside `half_products`, whose rounding the kernels do not know.

Without `use_kernels` the environment variable MINIGPT2_KERNELS decides, and without that kernels are used.
Their modules are imported when the first array comes along, so importing the layers costs nothing.
"""

import contextlib
import functools
import importlib
import os
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from ..errors import UsageError
from ..half_products import kind_in_force

MODES = ("explicit", "fused")
VARIABLE = "MINIGPT2_KERNELS"

# Root package of an array type -> the modules that register kernels for it.
MODULES = {
    "numpy": (
        "numpy_elementwise",
        "numpy_linear",
        "numpy_attention",
        "numpy_block",
        "numpy_embedding",
        "numpy_pooling",
    ),
}

_mode: ContextVar[str | None] = ContextVar("kernels", default=None)
_replaceable: list[Callable[..., Any]] = []
_loaded: set[type] = set()
_loading = threading.RLock()
_float64 = np.dtype(np.float64)


class Registered(NamedTuple):
    """One kernel: the function that it stands for, as written, and the arrays that it is for."""

    explicit: Callable[..., Any]
    array_type: type
    kernel: Callable[..., Any]


@contextlib.contextmanager
def use_kernels(mode: str) -> Iterator[None]:
    """Inside, in this thread alone, layers run as written ("explicit") or by their kernels ("fused").

    Raises UsageError for another mode.
    """
    token = _mode.set(_checked(mode, "kernels"))
    try:
        yield
    finally:
        _mode.reset(token)


def mode() -> str:
    """The mode in force, "explicit" or "fused". Raises UsageError for another in MINIGPT2_KERNELS."""
    return _mode.get() or _default_mode()


def wanted() -> bool:
    """True where kernels are to run: in the mode "fused", and not inside `half_products`."""
    return mode() == "fused" and kind_in_force() is None


def replaceable(explicit: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, except that a kernel registered for its first argument's type may run instead."""
    kernels: dict[type, Callable[..., Any]] = {}

    @functools.wraps(explicit)
    def dispatch(*arguments: Any, **options: Any) -> Any:
        # A fifth of a microsecond, half of it for passing the arguments on.
        x = arguments[0] if arguments else next(iter(options.values()), None)
        run = kernels.get(type(x))
        if run is None and type(x) not in _loaded:
            _load(type(x))
            run = kernels.get(type(x))
        if (
            run is not None
            and x.dtype is not _float64
            and (_mode.get() or _default_mode()) == "fused"
            and kind_in_force() is None
        ):
            result = run(*arguments, **options) if options else run(*arguments)
            if result is not NotImplemented:
                return result
        return explicit(*arguments, **options) if options else explicit(*arguments)

    dispatch.explicit = explicit
    dispatch.kernels = kernels
    _replaceable.append(dispatch)
    return dispatch


def kernel(function: Callable[..., Any], array_type: type) -> Callable[..., Any]:
    """Register the decorated function as the kernel of a replaceable one for arrays of this type."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        function.kernels[array_type] = run
        return run

    return register


def registered(array_type: type = np.ndarray) -> list[Registered]:
    """Every kernel for arrays of this type."""
    _load(array_type)
    return [
        Registered(function.explicit, array_type, function.kernels[array_type])
        for function in _replaceable
        if array_type in function.kernels
    ]


def _load(array_type: type) -> None:
    """Import the modules with kernels for this type, once"""
    with _loading:
        if array_type in _loaded:
            return
        for name in MODULES.get(array_type.__module__.partition(".")[0], ()):
            importlib.import_module(f".{name}", __name__)
        _loaded.add(array_type)


@functools.cache
def _default_mode() -> str:
    return _checked(os.environ.get(VARIABLE) or "fused", VARIABLE)


def _checked(mode: str, what: str) -> str:
    if mode not in MODES:
        raise UsageError(f"{what} is {mode!r}: use one of {', '.join(MODES)}")
    return mode
