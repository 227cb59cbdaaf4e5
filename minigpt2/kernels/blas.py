"""How many threads NumPy's matrix products use, and how to make that one for a while.

Two Python threads, each with products of its own on one thread, keep two cores busier than one Python thread
whose products are split: everything that is no product then runs on both cores as well. For that the products
must not start threads of their own. NumPy has no function for it, but the OpenBLAS inside its wheels has, and
is reached through ctypes. With another BLAS (MKL, Accelerate) the functions are not found; then nothing is
set and one Python thread works, with the threads of that BLAS.

Source: OpenBLAS, cblas.h (openblas_set_num_threads, openblas_get_num_threads); NumPy's wheels rename them
with the prefix scipy_ and the suffix 64_.
"""

import contextlib
import ctypes
import functools
import os
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


class _Control(NamedTuple):
    get: Callable[[], int]
    set: Callable[[int], None]


@functools.cache
def _control() -> _Control | None:
    """The two functions of the BLAS that NumPy is linked with, or None if it is no OpenBLAS."""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)
    except (AttributeError, OSError):
        return None
    for name in NAMES:
        try:
            get = getattr(library, name.format("get_num_threads"))
            set = getattr(library, name.format("set_num_threads"))
        except AttributeError:
            continue
        get.restype, get.argtypes = ctypes.c_int, []
        set.restype, set.argtypes = None, [ctypes.c_int]
        return _Control(get, set)
    return None


def can_be_set() -> bool:
    """Whether the number of threads of a product can be set here."""
    return _control() is not None


@functools.cache
def threads() -> int:
    """How many threads there are to use: what BLAS would take, and not more than the cores of this process.

    So OPENBLAS_NUM_THREADS and OMP_NUM_THREADS count, and so does taskset. 1 if nothing can be set.
    """
    control = _control()
    if control is None:
        return 1
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        cores = os.cpu_count() or 1
    return max(1, min(control.get(), cores))


_lock = threading.Lock()
_inside = 0  # how many `one_thread` blocks are open, in all threads
_before = 1  # what BLAS used before the first of them


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Inside, every product of this process runs on one thread; blocks of several threads may overlap."""
    global _inside, _before
    control = _control()
    if control is None:
        yield
        return
    with _lock:
        if _inside == 0:
            threads()  # before it is changed
            _before = control.get()
            control.set(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                control.set(_before)
