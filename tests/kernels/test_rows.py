"""Work in blocks by several threads: every item once, errors told, no deadlock."""

import contextvars
import os
import threading

import numpy as np
import pytest

from minigpt2.kernels import blas, rows
from minigpt2.kernels.rows import blocks, even_blocks, for_each


@pytest.fixture(params=[1, 2, 5])
def threads(request, monkeypatch):
    monkeypatch.setattr(rows, "threads", lambda: request.param)
    return request.param


@pytest.mark.parametrize("N", [0, 1, 5, 6, 7, 12, 13, 100])
def test_blocks_cover_all_rows_once(N):
    for cut in (blocks(N, 6), even_blocks(N, 6)):
        assert [n for rows in cut for n in range(N)[rows]] == list(range(N))
        assert all(0 < rows.stop - rows.start <= 6 for rows in cut)
    even = even_blocks(N, 6)
    sizes = [rows.stop - rows.start for rows in even]
    assert len(even) == 1 or len(even) % 2 == 0 or N == 0
    assert max(sizes, default=0) - min(sizes, default=0) <= 1


def test_every_item_is_done_once(threads):
    done = []
    for_each(done.append, range(50))
    assert sorted(done) == list(range(50))


def test_the_threads_work_at_the_same_time(threads):
    if threads == 1:
        pytest.skip("one thread")
    both = threading.Barrier(2)
    for_each(lambda i: both.wait(timeout=10), range(2))


def test_an_error_is_raised_once_all_have_stopped(threads):
    running = []

    def task(i):
        running.append(i)
        try:
            if i == 3:
                raise KeyError("three")
            np.ones(100_000).sum()
        finally:
            running.remove(i)

    with pytest.raises(KeyError, match="three"):
        for_each(task, range(10))
    assert running == []
    done = []
    for_each(done.append, range(4))
    assert sorted(done) == [0, 1, 2, 3]


def test_the_callers_context_holds_in_every_thread(threads):
    variable = contextvars.ContextVar("variable", default="no")
    variable.set("yes")
    seen = []
    with np.errstate(divide="ignore"):
        for_each(lambda i: seen.append((variable.get(), np.geterr()["divide"])), range(20))
    assert set(seen) == {("yes", "ignore")}


def test_work_within_work_and_from_many_threads(threads):
    totals = []

    def outer(i):
        inner = []
        for_each(inner.append, range(i, i + 5))
        totals.append(sum(inner))

    callers = [threading.Thread(target=for_each, args=(outer, range(10))) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
        assert not caller.is_alive()
    assert sorted(totals) == sorted(8 * [5 * i + 10 for i in range(10)])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_workers_of_its_own(monkeypatch):
    monkeypatch.setattr(rows, "threads", lambda: 3)
    for_each(lambda i: None, range(10))
    child = os.fork()
    if child == 0:
        done = []
        for_each(done.append, range(10))
        os._exit(0 if sorted(done) == list(range(10)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_blas_has_one_thread_inside_and_its_own_number_afterwards():
    control = blas._control()
    if control is None:
        pytest.skip("NumPy computes with another BLAS than OpenBLAS")
    before, seen = control.get(), []
    work = (lambda i: seen.append(control.get()), range(9))
    callers = [threading.Thread(target=for_each, args=work) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert set(seen) == {1}
    assert control.get() == before
    with pytest.raises(ZeroDivisionError):
        for_each(lambda i: 1 / 0, range(5))
    assert control.get() == before
