"""Who is stopped by a Ctrl-C while a long run goes on that can keep what it has reached.

| when            | the first Ctrl-C         | the second                       |
|-----------------|--------------------------|----------------------------------|
| before the run  | the whole command        |                                  |
| in the run      | the run, after its step  | the whole command, at once       |
| after the run   | nothing                  | the whole command                |

While a run begins and ends, from the first file that it makes to the last one that is removed, nothing is
interrupted, so that the terminal and the disk are as they were. A SIGTERM or SIGHUP stops the run in the same
way, and then does what it would have done without one.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last one is unknown to Windows


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """Inside, Ctrl-C does nothing: for the few steps that say what a Ctrl-C has done.

    One that came just before may still raise KeyboardInterrupt, before the block begins.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)  # None: set outside Python


class Interrupts:
    """`with Interrupts() as interrupts:` around a command, `with interrupts.held():` around its run."""

    def __init__(self) -> None:
        self.presses = 0  # of Ctrl-C
        self._held = False
        self._has_run = False
        self._ending: int | None = None  # a signal that ends the program
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
                self._before[number] = signal.getsignal(number)
            signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: set outside Python
        if self._ending is not None:
            signal.raise_signal(self._ending)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, Ctrl-C is left to the run that `attach` hands it to."""
        self._held = True
        try:
            yield
        finally:
            self._held, self._has_run = False, True
        if self.presses > 1:
            raise KeyboardInterrupt

    def attach(self) -> None:
        """Count the signals that the run has begun to catch; one that came before is handed on to it."""
        for number in self._before:
            handler = signal.getsignal(number)
            if callable(handler) and handler != self._receive and handler != self._before[number]:
                signal.signal(number, self._counting(handler))
                if number == signal.SIGINT and self.presses:
                    handler(number, None)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.presses += 1
        if not self._held and (not self._has_run or self.presses > 1):
            raise KeyboardInterrupt

    def _counting(self, handler: Callable[[int, FrameType | None], Any]) -> Callable[..., None]:
        def receive(number: int, frame: FrameType | None) -> None:
            if number == signal.SIGINT:
                self.presses += 1
            else:
                self._ending = number
            handler(number, frame)

        return receive
