"""Fixtures shared by all tests. Tests that take `xp` run once with NumPy and once with CuPy."""

import signal

import numpy as np
import pytest

from minigpt2.backend import gpu_problem
from minigpt2.kernels import rows
from minigpt2.kernels.buffers import POOL


def pytest_configure():
    """Ctrl-C reaches this process and those it starts, also where a shell started it in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["numpy", pytest.param("cupy", marks=pytest.mark.gpu)])
def xp(request):
    """The array module under test; the CuPy case is skipped, with its reason, where no GPU is usable."""
    if request.param == "numpy":
        return np
    problem = gpu_problem()
    if problem:
        pytest.skip(problem)
    import cupy

    return cupy


@pytest.fixture
def rng():
    """A host random generator with a fixed seed, so that a failure repeats."""
    return np.random.default_rng(20261122)


@pytest.fixture
def nothing_lies_idle(monkeypatch):
    """Kernels give memory back at once and run in one thread: what is measured is what they need."""
    monkeypatch.setattr(POOL, "largest_idle", 0)
    monkeypatch.setattr(rows, "threads", lambda: 1)
    POOL.clear()
