"""Chunks shared out to threads: each takes the next one when it has done with the last.

NumPy lets go of the interpreter while it computes, so Python threads really run side by side. A thread is
started for each call, which takes a tenth of a millisecond where the shortest shared work takes ten; so there
is nothing to keep alive, and nothing that a fork could break.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..kernels import blas

Task = TypeVar("Task")


def share_out(tasks: Sequence[Task], work: Callable[[Task], None], threads: int) -> None:
    """Call `work` with each task, on up to `threads` threads of which this is one.

    With more than one, each product runs on one thread. Raises what `work` raised first, also
    KeyboardInterrupt in this thread, after all threads have ended; then some tasks have not been done.
    """
    threads = min(threads, len(tasks))
    if threads <= 1:
        for task in tasks:
            work(task)
        return
    waiting = iter(tasks)
    lock = threading.Lock()
    errors: list[BaseException] = []

    def take_turns() -> None:
        while not errors:
            with lock:
                task = next(waiting, None)
            if task is None:
                return
            try:
                work(task)
            except BaseException as error:
                errors.append(error)

    others = [threading.Thread(target=take_turns, name="minigpt2", daemon=True) for _ in range(threads - 1)]
    with blas.one_thread():
        for thread in others:
            thread.start()
        try:
            take_turns()
        except BaseException as error:  # Ctrl-C between two tasks
            errors.append(error)
        for thread in others:
            thread.join()
    if errors:
        raise errors[0]
