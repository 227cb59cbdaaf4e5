"""Work in blocks by several threads: every item once, errors told, no deadlock."""

import contextlib
import contextvars
import gc
import os
import signal
import sys
import threading
import time
import weakref

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


def test_where_no_more_threads_can_be_started(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(rows, "threads", lambda: 3)
    monkeypatch.setattr(rows, "_inboxes", [])
    monkeypatch.setattr(threading.Thread, "start", refuse)
    for _ in range(2):
        done = []
        for_each(done.append, range(5))
        assert done == [0, 1, 2, 3, 4]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to threads on this system")
def test_ctrl_c_is_raised_once_the_others_have_stopped(monkeypatch):
    monkeypatch.setattr(rows, "threads", lambda: 2)
    both = threading.Barrier(2)
    log = []

    def task(i):
        if i < 2:
            both.wait(timeout=10)
        if threading.current_thread() is threading.main_thread():
            return
        time.sleep(0.1)  # the main thread has nothing left to do and waits
        for _ in range(2):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.1)
        log.append("stopped")

    with pytest.raises(KeyboardInterrupt):
        for_each(task, range(2))
    assert log == ["stopped"]
    done = []
    for_each(done.append, range(4))
    assert sorted(done) == [0, 1, 2, 3]


def test_an_error_holds_nothing(threads):
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)

    def task(i, held=held):
        if i == 2:
            raise KeyError(held)

    gc.disable()
    try:
        for _ in range(2):
            with contextlib.suppress(KeyError):
                for_each(task, range(6))
        del task, held
        assert gone() is None
    finally:
        gc.enable()


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
    if blas._control is None:
        pytest.skip("NumPy computes with another BLAS than OpenBLAS")
    get, set_to = blas._control
    before = get()
    try:
        set_to(2)
        limit = blas.threads()
        seen = []
        callers = [
            threading.Thread(target=for_each, args=(lambda i: seen.append((get(), blas.threads())), range(9)))
            for _ in range(8)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert set(seen) == {(1, limit)}
        assert get() == 2
        with pytest.raises(ZeroDivisionError):
            for_each(lambda i: 1 / 0, range(5))
        assert get() == 2
    finally:
        set_to(before)


def test_a_long_task_ends_where_another_has_failed(monkeypatch):
    monkeypatch.setattr(rows, "threads", lambda: 2)
    begun, ended = threading.Barrier(2), []

    def task(i):
        begun.wait(timeout=10)
        if i == 0:
            raise KeyboardInterrupt
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            rows.stop_if_failed()
            time.sleep(0.001)
        ended.append(i)

    with pytest.raises(KeyboardInterrupt):
        for_each(task, range(2))
    assert not ended
    rows.stop_if_failed()  # nothing fails outside of work


@pytest.mark.parametrize("usual", [5e-3, 2e-5])
def test_the_switch_interval_is_short_while_work_is_shared_and_never_longer(monkeypatch, usual):
    monkeypatch.setattr(rows, "threads", lambda: 2)
    before, seen = sys.getswitchinterval(), []
    try:
        sys.setswitchinterval(usual)
        for_each(lambda i: seen.append(sys.getswitchinterval()), range(4))
        with pytest.raises(ZeroDivisionError):
            for_each(lambda i: 1 / 0, range(4))
        assert sys.getswitchinterval() == pytest.approx(usual)
    finally:
        sys.setswitchinterval(before)
    assert seen == pytest.approx([min(usual, rows.SWITCH_INTERVAL)] * 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_forked_while_work_is_shared_has_the_usual_switch_interval(monkeypatch):
    monkeypatch.setattr(rows, "threads", lambda: 2)
    usual, working, forked = sys.getswitchinterval(), threading.Barrier(3), threading.Event()

    def task(i):
        working.wait(timeout=10)
        forked.wait(timeout=10)

    sharing = threading.Thread(target=for_each, args=(task, range(2)))
    sharing.start()
    try:
        working.wait(timeout=10)
        assert sys.getswitchinterval() < usual
        child = os.fork()
        if child == 0:
            os._exit(0 if sys.getswitchinterval() == usual else 1)
    finally:
        forked.set()
        sharing.join(timeout=10)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sys.getswitchinterval() == usual
