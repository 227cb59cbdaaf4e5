"""The dashboard: a picture of the run that fills the terminal while it trains.

It draws on the terminal's second screen, so that what stood on the first comes back at the end, with a last
picture below it. A thread of its own draws: when an event has come or the window has another size, otherwise
once a second for the clocks, never more than 8 times a second, and less often where drawing is slow, so that
it takes less than 1 % of the time. The training never waits for it: what has happened goes into a queue, so a
terminal that takes nothing for a while (Ctrl-S, a connection that hangs) holds up the pictures alone.

Whatever happens the terminal is given back: `close` does it, the end of the program does it where nobody
called `close`, and Ctrl-Z does it until the program continues. A picture that cannot be drawn, or a terminal
that has gone, ends the dashboard and never the training; plain lines go on then. While the dashboard is on,
lines that others write to sys.stderr are shown among the warnings and written out at the end.
"""

import atexit
import contextlib
import io
import os
import shutil
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from ...views.frame import Block, Frame
from ...visible import terminal_has_unicode
from ..events import Event, RunStarted, StepDone, Warned
from .history import History
from .panels import View, picture
from .plain import PlainLines

if TYPE_CHECKING:
    from rich.console import Console

FASTEST = 1 / 8  # seconds between two pictures
SLOWEST = 1.0  # for the clocks, when nothing else happens
LARGEST_SHARE = 0.008  # of the time, spent drawing
LAST_ROWS = (18, 32)  # rows of the picture that stays, where the terminal has them
CLOSING_ROWS = 8  # below it, for what the command still says


class Dashboard:
    """Draws the run on `screen`, a terminal."""

    def __init__(
        self,
        screen: "Console",
        *,
        unicode: bool | None = None,
        saves: bool = True,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`unicode`: whether the terminal shows more than ASCII; None asks the locale.

        `saves`: whether the run leaves a model on the disk, or keeps in memory what it learns. `stopping`
        says whether someone has asked the run to stop.
        """
        from rich.live import Live

        self._screen = screen
        self._lines = PlainLines(
            screen, saves=saves
        )  # for the start, and for all where no picture can be drawn
        self._unicode = terminal_has_unicode() if unicode is None else unicode
        # What happened, or which line someone said, and when; not yet in the history
        self._queue: deque[tuple[Event | str, float]] = deque()
        self._history = History()  # of which the pictures are made
        self._history.saves = saves
        self._stopping = stopping
        self._undrawn: list[Event] = []  # in the history, but in no picture yet
        self._lock = threading.RLock()  # of the terminal and the history
        self._wake = threading.Event()
        self._closed = False
        self._failure: Exception | None = None  # what ended the drawing
        self._has_ended = False  # by a failure, and the terminal takes lines again
        self._suspended = False
        self._told_at = time.monotonic()
        self._changed = True
        self._size = (80, 24)
        self._live = Live(
            get_renderable=self._frame,
            console=screen,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._said = _Said(self._tell)
        self._stderr: Any = None
        self._on_suspend: Any = None
        self._thread: threading.Thread | None = None
        self.seconds_drawing = 0.0  # of processor time, for whoever wants to know
        self.pictures = 0

    def report(self, event: Event) -> None:
        """Remember the event; the thread draws it. The start of a run is printed, then the screen opens."""
        if isinstance(event, RunStarted):
            self._lines.report(event)
        self._tell(event)
        if self._has_ended:
            self._print_undrawn()
        elif self._thread is None and not self._closed:
            self._open()

    def close(self) -> None:
        """Give the terminal back and leave a last picture on it. May be called twice."""
        if self._closed:
            return
        self._wake.set()
        if self._thread is not None:
            self._thread.join()  # where a Ctrl-C ends this wait, the end of the program closes
        self._closed = True
        if self._thread is None:
            return
        atexit.unregister(self.close)
        if self._on_suspend is not None:
            with contextlib.suppress(ValueError):  # closed by another thread than the one that opened
                signal.signal(signal.SIGTSTP, self._on_suspend)
        self._take_in()
        self._history.closed = True
        self._give_back()
        if self._failure is None:
            self._try(self._leave_last_picture)
            self._say_failure()
        if self._failure is not None:
            self._print_undrawn()

    def _print_undrawn(self) -> None:
        """As plain lines what no picture has shown; the start has been printed."""
        self._take_in()
        undrawn, self._undrawn = self._undrawn, []
        for event in undrawn:
            if not isinstance(event, RunStarted):
                self._lines.report(event)

    def _say_failure(self) -> None:
        if self._failure is not None and sys.stderr is not None:
            with contextlib.suppress(OSError):
                print(f"the dashboard stopped: {self._failure!r}", file=sys.stderr)

    def _tell(self, said: Event | str) -> None:
        self._queue.append((said, time.monotonic()))
        self._changed = True

    def _take_in(self) -> None:
        """What has been queued, into the history."""
        while self._queue:
            said, at = self._queue.popleft()
            if isinstance(said, str):  # which is written out at the end
                self._history.take(Warned(self._history.step.step if self._history.step else 0, said))
                continue
            if isinstance(said, (RunStarted, StepDone)):
                self._told_at = at
            self._history.take(said)
            self._undrawn.append(said)

    # taking the terminal and giving it back

    def _open(self) -> None:
        atexit.register(self.close)
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGTSTP"):
            self._on_suspend = signal.signal(signal.SIGTSTP, self._suspend)
        self._try(self._take)
        self._thread = threading.Thread(target=self._draw_until_closed, name="dashboard", daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with self._lock:
            self._measure()
            self._take_in()
            self._stderr = sys.stderr  # before the start, after whose failure it is given back
            self._live.start()
            sys.stderr = self._said
            self._changed = True

    def _give_back(self) -> None:
        with self._lock:
            if not self._live.is_started:
                return
            self._try(self._live.stop)
            sys.stderr = self._stderr
            kept = self._said.take()
        if kept and sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.write(kept)
                sys.stderr.flush()

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: an ordinary terminal for the shell; the thread takes it again when it is ours again."""
        self._suspended = True
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # returns when the program continues
        signal.signal(signal.SIGTSTP, self._suspend)
        self._suspended = False

    # drawing

    def _draw_until_closed(self) -> None:
        pause, last = 0.0, -SLOWEST
        while self._failure is None and not self._wake.wait(FASTEST):
            waited = time.monotonic() - last
            changed = self._changed or self._stopping() != self._history.stopping
            due = waited >= pause and (changed or waited >= SLOWEST)
            if not (due or self._terminal_size() != self._size) or not self._in_foreground():
                continue
            before = time.thread_time()
            with self._lock:
                if self._suspended:
                    continue
                self._changed = False
                self._try(self._draw)
            spent = time.thread_time() - before
            self.seconds_drawing += spent
            self.pictures += 1
            pause, last = spent / LARGEST_SHARE, time.monotonic()
        if self._failure is not None:
            self._give_back()
            self._say_failure()
            self._has_ended = True

    def _draw(self) -> None:
        if not self._live.is_started:
            self._take()
        self._measure()
        self._take_in()
        self._history.stopping = self._stopping()
        self._live.refresh()
        self._undrawn.clear()

    def _try(self, action: Callable[[], None]) -> None:
        """Do something with the terminal; what goes wrong with it is kept for the end."""
        try:
            action()
        except Exception as error:
            self._failure = self._failure or error  # the first one is the cause

    def _frame(self) -> Frame:
        return Frame(self._picture(*self._size))

    def _picture(self, width: int, height: int) -> Block:
        seconds = 0.0 if self._history.closed else time.monotonic() - self._told_at
        return picture(self._history, width, height, View(seconds, self._unicode))

    def _measure(self) -> None:
        self._size = self._terminal_size()
        self._screen.size = self._size

    def _terminal_size(self) -> tuple[int, int]:
        """Columns and rows as the terminal says; COLUMNS and LINES do not follow a resized window."""
        try:
            width, height = os.get_terminal_size(self._screen.file.fileno())
        except (OSError, ValueError, AttributeError):
            width, height = shutil.get_terminal_size()
        return (width, height) if width > 0 and height > 0 else (80, 24)

    def _in_foreground(self) -> bool:
        """False where the shell has put the program into the background: then the screen is not ours."""
        try:
            return os.tcgetpgrp(self._screen.file.fileno()) == os.getpgrp()
        except (OSError, ValueError, AttributeError):
            return True

    def _leave_last_picture(self) -> None:
        width, height = self._terminal_size()
        self._screen.size = (width, height)
        rows = max(1, min(height - CLOSING_ROWS, LAST_ROWS[1]))
        rows = rows if rows >= LAST_ROWS[0] else min(height - 1, LAST_ROWS[0])
        self._screen.print(Frame(self._picture(width, rows)), soft_wrap=True)


class _Said(io.TextIOBase):
    """Stands for sys.stderr while the screen is not for lines: keeps what is written."""

    encoding = "utf-8"

    def __init__(self, overheard: Callable[[str], None]) -> None:
        self._texts: list[str] = []
        self._line = ""
        self._overheard = overheard

    def write(self, text: str) -> int:
        self._texts.append(text)
        *lines, self._line = (self._line + text).split("\n")
        for line in filter(str.strip, lines):
            self._overheard(line)
        return len(text)

    def writable(self) -> bool:
        return True

    def take(self) -> str:
        """What has been written since the last call."""
        texts, self._texts = self._texts, []
        return "".join(texts)
