"""The cells of a lesson as code that runs: in one set of variables, with their errors told shortly.

A cell runs as in a notebook: what its last line gives, if it is an expression, is shown. Whatever a cell
does, an exception, `sys.exit()`, Ctrl-C, code that is no Python, the lesson goes on.
"""

import _thread
import ast
import contextlib
import io
import linecache
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from ..views import View
from .cells import CODE, Lesson
from .claims import forget_claims
from .show import show

# The signal that ends what takes too long, which the program sends to itself. Not SIGINT where there is
# another: a program that a shell runs in the background ignores that one.
TIME_IS_UP = getattr(signal, "SIGALRM", signal.SIGINT)

# What the program exits with when it is told to end from outside, in a cell or not.
ENDED_BY_SIGNAL = tuple(
    128 + getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
MOST_FRAMES = 4  # of a traceback that are shown


class TimeLimitError(Exception):
    """A cell has run too long."""


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

        `limit`: seconds after which it is stopped, if it runs Python then.
        """
        name = f"<cell {place}>"
        source = self.lesson.cells[place].source if source is None else source
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        start = time.perf_counter()
        try:
            with time_limit(limit):
                self._execute(source, name)
        except KeyboardInterrupt:
            return Ran(time.perf_counter() - start, "interrupted: the cell has stopped", interrupted=True)
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and error.code in ENDED_BY_SIGNAL:
                raise
            return Ran(time.perf_counter() - start, short_traceback(error))
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
    """Raise TimeLimitError after `seconds` in the main thread, which must be the one that asks; None: never.

    What runs is stopped by KeyboardInterrupt, which `except Exception` in it does not catch.
    """
    if seconds is None:
        yield
        return
    is_over = threading.Event()

    def stop() -> None:
        is_over.set()
        _thread.interrupt_main(TIME_IS_UP)

    handler = signal.signal(TIME_IS_UP, signal.default_int_handler)
    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not is_over.is_set():
            raise
        raise TimeLimitError(f"stopped after {seconds:g} s: a cell may not take longer here") from None
    finally:
        timer.cancel()
        signal.signal(TIME_IS_UP, handler)


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
