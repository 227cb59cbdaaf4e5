"""How many threads NumPy's matrix products use, and how to make that one for a while.

Two Python threads, each with products of its own on one thread, keep two cores busier than one Python thread
whose products are split: everything that is no product then runs on both cores as well. And a thread of BLAS
that was woken for one small product goes on waiting for the next at full speed, for some 25 ms, on a core
that other work needs. So wherever our own threads compute, a product must not start threads.

NumPy has no function for that, but the OpenBLAS inside its wheels has, and is reached through ctypes. With
another BLAS (MKL, Accelerate) the functions are not found; then nothing is set and one Python thread works,
with the threads of that BLAS.

Source: OpenBLAS, cblas.h (openblas_set_num_threads, openblas_get_num_threads); NumPy's wheels rename them
with the prefix scipy_ and the suffix 64_.
"""

import contextlib
import ctypes
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from . import mode

MOST_THREADS = 8


class _Control(NamedTuple):
    get: Callable[[], int]
    set: Callable[[int], None]


def _find_control() -> _Control | None:
    """The two functions of the BLAS that NumPy is linked with, or None if it is no OpenBLAS"""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)
    except (AttributeError, OSError):
        return None
    for prefix, suffix in itertools.product(("scipy_openblas", "openblas"), ("64_", "")):
        with contextlib.suppress(AttributeError):
            return _Control(
                getattr(library, f"{prefix}_get_num_threads{suffix}"),
                getattr(library, f"{prefix}_set_num_threads{suffix}"),
            )
    return None


_control = _find_control()
_lock = threading.Lock()
_inside = 0  # how many `one_thread` blocks are open, in all threads
_before = 1  # what BLAS used before the first of them


def threads() -> int:
    """How many threads share work: one for each core we may use, no more than BLAS takes or MOST_THREADS.

    BLAS knows OPENBLAS_NUM_THREADS and OMP_NUM_THREADS; taskset limits the cores. It is 1 where BLAS cannot
    be told to use one thread.
    """
    if _control is None:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with _lock:
        of_blas = _before if _inside else _control.get()
    return max(1, min(cores, of_blas, MOST_THREADS))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Inside, every product of this process runs in the thread that asks for it; blocks may overlap."""
    global _inside, _before
    if _control is None:
        yield
        return
    with _lock:
        if _inside == 0:
            _before = _control.get()
            _control.set(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _control.set(_before)


def at_rest(x: Any) -> contextlib.AbstractContextManager[None]:
    """`one_thread` around a piece of work on x that kernels do for the most part, and nothing elsewhere."""
    if type(x) is np.ndarray and x.dtype == np.float32 and mode() == "fused":
        return one_thread()
    return contextlib.nullcontext()


def _after_fork() -> None:
    """In a forked child there are no threads but the one that forked, so no block of another is open."""
    global _lock, _inside
    _lock = threading.Lock()
    if _inside:
        _inside = 0
        _control.set(_before)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
