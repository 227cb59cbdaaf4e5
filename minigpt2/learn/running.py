"""The cells of a lesson as code that runs: in one set of variables, with their errors told shortly.

A cell runs as in a notebook: what its last line gives, if it is an expression, is shown. Whatever a cell
does, an exception, `exit()`, Ctrl-C, code that is no Python, the lesson goes on. One that catches Ctrl-C and
goes on itself is left by two more: the third ends the program.
"""

import _thread
import ast
import contextlib
import io
import linecache
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from ..views import View
from .cells import CODE, Lesson
from .claims import forget_claims
from .show import show

# What the program exits with when it is told to end from outside, in a cell or not.
ENDED_BY_SIGNAL = tuple(
    128 + getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
MOST_FRAMES = 4  # of a traceback that are shown
STILL_RUNNING = b"\nthe cell catches Ctrl-C and goes on: once more ends minigpt2\n"


class TimeLimitError(BaseException):
    """A cell has run too long. Not an Exception, for which many cells have an `except`."""


class Ran(NamedTuple):
    """What came of running a cell."""

    seconds: float
    problem: str  # the error in a few lines; empty where all went well
    interrupted: bool = False  # by Ctrl-C


class Runner:
    """The variables of a lesson, and its cells to run in them."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.variables: dict[str, Any] = vars(ModuleType("__main__"))
        self.variables["__file__"] = str(lesson.path)
        forget_claims()

    def run(self, place: int, source: str | None = None, *, limit: float | None = None) -> Ran:
        """Run the cell at `place` among the cells, or another source in its stead.

        `limit`: seconds after which it is stopped, if it runs Python then. Raises what ends the program and
        not the cell alone: SystemExit for a signal, OSError where stdout cannot be written any more.
        """
        name = f"<cell {place}>"
        source = self.lesson.cells[place].source if source is None else source
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        start = time.perf_counter()
        try:
            with third_ctrl_c_ends(), time_limit(limit):
                self._execute(source, name)
        except KeyboardInterrupt:
            return Ran(time.perf_counter() - start, "interrupted: the cell has stopped", interrupted=True)
        except BaseException as error:
            if isinstance(error, SystemExit) and error.code in ENDED_BY_SIGNAL:
                raise
            if isinstance(error, OSError):
                sys.stdout.flush()  # fails again if it was this that failed, and then no cell can go on
            return Ran(time.perf_counter() - start, short_traceback(error))
        finally:
            reopen_stdin()
        return Ran(time.perf_counter() - start, "")

    def run_quietly(self, places: list[int]) -> Ran:
        """Run these cells without showing what they print, up to the first that fails."""
        seconds = 0.0
        for place in places:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                ran = self.run(place)
            seconds += ran.seconds
            if ran.problem:
                return ran._replace(seconds=seconds)
        return Ran(seconds, "")

    def code_before(self, place: int) -> list[int]:
        """The places of the code cells before this one."""
        return [at for at in range(place) if self.lesson.cells[at].kind == CODE]

    def _execute(self, source: str, name: str) -> None:
        tree = ast.parse(source, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), self.variables)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), self.variables)
            if isinstance(value, View):
                show(value)
            elif value is not None:
                print(repr(value))


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise TimeLimitError in the main thread after `seconds`, and each second from then on; None: never."""
    if seconds is None:
        yield
        return
    is_running = True

    def stop(number: int, frame: FrameType | None) -> None:
        if is_running:
            raise TimeLimitError(f"stopped after {seconds:g} s: a cell may not take longer here")

    with _alarm(seconds, stop):
        try:
            yield
        finally:
            is_running = False


@contextlib.contextmanager
def _alarm(seconds: float, ring: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `ring` in the main thread after `seconds`, and each second from then on.

    By a signal of its own, where there is one: what a shell has put into the background ignores Ctrl-C.
    """
    if hasattr(signal, "setitimer"):
        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)
        return
    is_over = threading.Event()

    def interrupt() -> None:
        is_over.set()
        _thread.interrupt_main()

    def stop(number: int, frame: FrameType | None) -> None:
        (ring if is_over.is_set() else signal.default_int_handler)(number, frame)

    before = signal.signal(signal.SIGINT, stop)
    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def third_ctrl_c_ends() -> Iterator[None]:
    """Code that catches Ctrl-C and goes on gets a second one; the third is the system's and ends Python."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    is_first = True

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_first
        if not is_first:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            with contextlib.suppress(OSError):
                os.write(2, STILL_RUNNING)
        is_first = False
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def reopen_stdin() -> None:
    """Open it again where `exit()` or `quit()` has closed it, which they do before they raise SystemExit."""
    if sys.stdin is not None and sys.stdin.closed:
        with contextlib.suppress(OSError):
            closed = sys.stdin
            sys.stdin = open(0, encoding=closed.encoding, errors=closed.errors, closefd=False)  # noqa: SIM115


def short_traceback(error: BaseException) -> str:
    """Where in the cell it happened, where in the end, and what: a few lines.

    ValueError: 3 is not 4
      line 2:  check(3)
      in minigpt2/ragged.py, line 80, in check
    """
    if isinstance(error, SyntaxError) and (error.filename or "").startswith("<cell"):
        line = (error.text or "").strip()
        return f"this is not Python: {error.msg}\n  line {error.lineno}:  {line}"
    if isinstance(error, SystemExit):
        return "the cell has called exit: the lesson goes on"
    if isinstance(error, TimeLimitError):
        what = str(error)
    else:
        what = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith("<cell")]
    rows = [what]
    for frame in ours[-MOST_FRAMES:]:
        inside = "" if frame.name == "<module>" else f" of {frame.name}"
        rows.append(f"  line {frame.lineno}{inside}:  {(frame.line or '').strip()}")
    if ours and frames[-1] is not ours[-1]:
        last = frames[-1]
        path = "/".join(last.filename.replace("\\", "/").split("/")[-3:])
        rows.append(f"  in {path}, line {last.lineno}, in {last.name}")
    return "\n".join(rows)
