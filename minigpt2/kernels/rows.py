"""Work on many rows: in blocks that stay in the cache, by as many threads as there are cores.

    for_each(task, even_blocks(N, 320))        task(rows) for each slice, whoever of the threads is free

NumPy lets other Python threads run while it computes, so two of them keep two cores busy where the work is
not one large product. A product's own threads (BLAS) and ours would be in each other's way: meanwhile BLAS
has one thread, and each block has its own product. Blocks depend on N alone and each is one task, so results
do not depend on the number of threads, bit for bit.

Between two computations a thread needs the interpreter for a few microseconds. If the other one has it, and
goes on taking it for one short step after another, the first waits until Python's switch interval is over: 5
milliseconds, in which it could have computed a block. While threads share work the interval is shorter.

The threads are started at the first need and wait for work. Whoever finds them busy, with the work of another
thread of the program, does all of its own.
"""

import contextlib
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from .blas import one_thread, threads

Task = Callable[[], None]

SWITCH_INTERVAL = 1e-4  # seconds


def blocks(N: int, most: int) -> list[slice]:
    """The rows 0 … N−1 in runs of `most`, the last one shorter."""
    return [slice(start, min(start + most, N)) for start in range(0, N, most)]


def even_blocks(N: int, most: int) -> list[slice]:
    """The rows 0 … N−1 in an even number of nearly equal runs of at most `most`; one run if N ≤ most"""
    if most >= N:
        return [slice(0, N)] if N else []
    count = 2 * -(-N // (2 * most))
    edges = [i * N // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def for_each(task: Callable[[Any], None], items: Iterable[Any]) -> None:
    """task(item) for each of the items, in no fixed order, by several threads where there are several items.

    The first exception that a task raises is raised here, after all threads have stopped; so is the
    KeyboardInterrupt of a Ctrl-C. What has not been begun by then is not done, and a task that calls
    `stop_if_failed` ends there.
    """
    items = list(items)
    helpers = min(threads(), len(items)) - 1
    with one_thread():  # always: a product's last bits depend on how BLAS shares it out
        if helpers < 1 or not _busy.acquire(blocking=False):
            for item in items:
                task(item)
            return
        try:
            with _short_switch_interval():
                _share(task, items, helpers)
        finally:
            _busy.release()


@contextlib.contextmanager
def _short_switch_interval() -> Iterator[None]:
    """For one thread at a time: the interval belongs to the interpreter"""
    global _usual_interval
    before = _usual_interval = sys.getswitchinterval()
    try:
        sys.setswitchinterval(min(before, SWITCH_INTERVAL))
        yield
    finally:
        sys.setswitchinterval(before)
        _usual_interval = None


def call(task: Task) -> None:
    """`for_each(call, tasks)` runs tasks of different kinds."""
    task()


def stop_if_failed() -> None:
    """For a long task of `for_each`, now and then: ends it where another one has failed, as by Ctrl-C."""
    work = getattr(_current, "work", None)
    if work is not None and work.error is not None:
        raise _Stopped


class _Stopped(Exception):
    """Never the first exception of a work, so nobody sees it."""


_busy = threading.Lock()
_usual_interval: float | None = None  # None: the interval is the usual one
_inboxes: list[SimpleQueue] = []
_current = threading.local()  # .work: what this thread takes part in


class _Work:
    """Items that several threads take one by one, and the first exception."""

    def __init__(self, task: Callable[[Any], None], items: list[Any]) -> None:
        self.task, self.items = task, items
        self.take = itertools.count().__next__  # one step of the interpreter: no two threads get the same
        self.error: BaseException | None = None
        self.stopped: list[None] = []  # one entry for each worker that has stopped
        self.done: SimpleQueue = SimpleQueue()  # and a message, to wake who waits for it

    def run(self) -> None:
        _current.work = self
        try:
            while self.error is None and (i := self.take()) < len(self.items):
                self.task(self.items[i])
        except BaseException as error:
            self.error = self.error or error
        finally:
            _current.work = None


def _share(task: Callable[[Any], None], items: list[Any], helpers: int) -> None:
    work = _Work(task, items)
    asked = 0
    try:
        for inbox in _workers(helpers):
            inbox.put((work, copy_context()))  # np.errstate, for one, belongs to the context
            asked += 1
        work.run()
    except BaseException as error:  # Ctrl-C between two tasks
        work.error = work.error or error
    while len(work.stopped) < asked:
        try:
            work.done.get()
        except BaseException as error:  # Ctrl-C: the others still write into the caller's arrays
            work.error = work.error or error
    error, work.error = work.error, None
    if error is not None:
        try:
            raise error
        finally:
            del error  # its traceback holds this frame, and the arrays with it


def _workers(count: int) -> list[SimpleQueue]:
    """The inboxes of so many workers, of fewer where the system starts no more threads"""
    with contextlib.suppress(RuntimeError):
        while len(_inboxes) < count:
            inbox: SimpleQueue = SimpleQueue()
            threading.Thread(target=_wait_for_work, args=(inbox,), name="minigpt2-rows", daemon=True).start()
            _inboxes.append(inbox)
    return _inboxes[:count]


def _wait_for_work(inbox: SimpleQueue) -> None:
    while True:
        work, context = inbox.get()
        try:
            context.run(work.run)
        finally:
            work.stopped.append(None)
            done = work.done
            del work, context  # or the last work's arrays would live until the next
            done.put(None)


def _forget_workers() -> None:
    """In a forked child there are no threads but the one that forked, so nobody shares work."""
    global _busy, _usual_interval
    _busy = threading.Lock()
    _inboxes.clear()
    if _usual_interval is not None:
        sys.setswitchinterval(_usual_interval)
        _usual_interval = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_workers)
